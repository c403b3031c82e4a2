"""Who ran it: executor.json for Allure, from the variables that CI systems set and from no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class System:
    """A CI system: how Allure calls it, the variable by which it is known, and each field as a template of variables."""

    name: str
    type: str
    known_by: str
    fields: Mapping[str, str]


SYSTEMS: Final = (
    System(
        "GitHub Actions",
        "github",
        "GITHUB_ACTIONS",
        MappingProxyType(
            {
                "url": "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",
                "buildName": "{GITHUB_WORKFLOW} #{GITHUB_RUN_NUMBER}",
                "buildOrder": "{GITHUB_RUN_NUMBER}",
                "buildUrl": "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
            }
        ),
    ),
    System(
        "GitLab CI",
        "gitlab",
        "GITLAB_CI",
        MappingProxyType(
            {
                "url": "{CI_PROJECT_URL}",
                "buildName": "{CI_JOB_NAME} #{CI_PIPELINE_IID}",
                "buildOrder": "{CI_PIPELINE_IID}",
                "buildUrl": "{CI_JOB_URL}",
                "reportUrl": "{CI_JOB_URL}/artifacts/browse",
            }
        ),
    ),
    System(
        "Jenkins",
        "jenkins",
        "JENKINS_URL",
        MappingProxyType(
            {
                "url": "{JENKINS_URL}",
                "buildName": "{JOB_NAME} #{BUILD_NUMBER}",
                "buildOrder": "{BUILD_NUMBER}",
                "buildUrl": "{BUILD_URL}",
                "reportUrl": "{BUILD_URL}artifact/",
            }
        ),
    ),
)
"""The CI systems that are known."""


def executor(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What executor.json holds, None outside of CI. A field whose variables are not all set is left out, and so is an address
    that holds credentials."""
    for system in SYSTEMS:
        if environment.get(system.known_by):
            fields = {field: _filled(template, environment) for field, template in system.fields.items()}
            known: dict[str, Any] = {"name": system.name, "type": system.type}
            known |= {field: value for field, value in fields.items() if value and _is_harmless(field, value)}
            if "buildOrder" in known:
                known["buildOrder"] = int(known["buildOrder"])
            return known
    return None


def _filled(template: str, environment: Mapping[str, str]) -> str:
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    return template.format_map(environment) if all(environment.get(name) for name in names) else ""


def _is_harmless(field: str, value: str) -> bool:
    if field == "buildOrder":
        return value.isascii() and value.isdigit()
    if field.lower().endswith("url"):
        try:
            return urlsplit(value).scheme in {"http", "https"} and "@" not in urlsplit(value).netloc
        except ValueError:
            return False
    return True
