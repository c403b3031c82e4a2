"""What Allure is told of the target, the run and the CI system, and nothing else of the environment."""

from __future__ import annotations

import json
from typing import Final

import pytest

from conformance.report.allure_environment import environment, properties
from conformance.report.allure_executor import executor
from tests.suite.support.made_up_certificates import certified

GITHUB: Final = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "ana/shop",
    "GITHUB_WORKFLOW": "certify",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_RUN_ID": "991",
}
GITLAB: Final = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.example/ana/shop",
    "CI_JOB_NAME": "certify",
    "CI_PIPELINE_IID": "12",
    "CI_JOB_URL": "https://gitlab.example/ana/shop/-/jobs/7",
}
JENKINS: Final = {
    "JENKINS_URL": "https://jenkins.example/",
    "JOB_NAME": "certify",
    "BUILD_NUMBER": "12",
    "BUILD_URL": "https://jenkins.example/job/certify/12/",
}
SECRETS: Final = {
    "KONCILI_PASSWORD": "s3cret-one", "GITHUB_TOKEN": "s3cret-two", "CI_JOB_TOKEN": "s3cret-three",
    "ACTIONS_RUNTIME_TOKEN": "s3cret-four", "CI_REGISTRY_PASSWORD": "s3cret-five", "JENKINS_API": "s3cret-six",
    "CI_REPOSITORY_URL": "https://gitlab-ci-token:s3cret-seven@gitlab.example/ana/shop.git",
}  # fmt: skip


def test_github_actions() -> None:
    assert executor(GITHUB | SECRETS) == {
        "name": "GitHub Actions",
        "type": "github",
        "url": "https://github.example/ana/shop",
        "buildName": "certify #12",
        "buildOrder": 12,
        "buildUrl": "https://github.example/ana/shop/actions/runs/991",
    }


def test_gitlab_ci() -> None:
    assert executor(GITLAB | SECRETS) == {
        "name": "GitLab CI",
        "type": "gitlab",
        "url": "https://gitlab.example/ana/shop",
        "buildName": "certify #12",
        "buildOrder": 12,
        "buildUrl": "https://gitlab.example/ana/shop/-/jobs/7",
        "reportUrl": "https://gitlab.example/ana/shop/-/jobs/7/artifacts/browse",
    }


def test_jenkins() -> None:
    assert executor(JENKINS | SECRETS) == {
        "name": "Jenkins",
        "type": "jenkins",
        "url": "https://jenkins.example/",
        "buildName": "certify #12",
        "buildOrder": 12,
        "buildUrl": "https://jenkins.example/job/certify/12/",
        "reportUrl": "https://jenkins.example/job/certify/12/artifact/",
    }


def test_no_ci_system() -> None:
    assert executor(SECRETS) is None
    assert executor({"GITHUB_ACTIONS": ""}) is None


@pytest.mark.parametrize("system", [GITHUB, GITLAB, JENKINS])
def test_nothing_else_of_the_environment_gets_in(system: dict[str, str]) -> None:
    assert "s3cret" not in json.dumps(executor(system | SECRETS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BUILD_URL", "https://ana:s3cret@jenkins.example/job/12/"),
        ("BUILD_URL", "javascript:alert(1)"),
        ("BUILD_URL", "https://[broken"),
        ("BUILD_URL", ""),
    ],
)
def test_an_address_that_is_none_or_holds_credentials_is_left_out(name: str, value: str) -> None:
    told = executor(JENKINS | {name: value})
    assert told is not None
    assert {"buildUrl", "reportUrl"} & told.keys() == set()
    assert told["buildName"] == "certify #12"


def test_a_field_is_whole_or_left_out() -> None:
    told = executor({name: value for name, value in GITHUB.items() if name != "GITHUB_WORKFLOW"})
    assert told is not None
    assert "buildName" not in told
    assert told["buildOrder"] == 12


def test_a_build_whose_number_is_none_is_left_out() -> None:
    told = executor(JENKINS | {"BUILD_NUMBER": "twelve"})
    assert told is not None
    assert "buildOrder" not in told


def test_what_was_tested_stands_first() -> None:
    told = environment(certified())
    assert list(told)[:7] == ["target", "URL", "verdict", "profile", "seed", "suite", "contract"]
    assert told["target"] == "ours (mock)"
    assert told["URL"] == "http://127.0.0.1:8765"
    assert told["contract"].startswith("2026.11, sha256 ")
    assert told["extract-types"] == "reading workflow (default)"
    assert len(told) == 7 + len(certified().readings)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("URL", "http://a:1/b c", r"URL=http\://a\:1/b\ c"),
        ("a b", "x=y", r"a\ b=x\=y"),
        ("name", "são \U0001f600\n", r"name=s\u00e3o\ \ud83d\ude00\u000a"),
        ("name", "c:\\d", r"name=c\:\\d"),
        ("#name", "!", r"\#name=\!"),
    ],
)
def test_whatever_is_in_a_property_comes_back_out(name: str, value: str, line: str) -> None:
    assert properties({name: value}) == f"{line}\n"
