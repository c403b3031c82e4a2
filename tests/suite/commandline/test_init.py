"""`init`: a target file for somebody who has credentials and nothing else, tried within ten requests."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from conformance.cli import main
from conformance.commandline import init_command
from conformance.mock.koncili import Koncili
from conformance.mock.world import EMAIL, INTEGRATOR, PASSWORD
from conformance.target.config import load_target
from conformance.target.target_file import file_text, write_new
from tests.suite.run.test_kinds_over_runs import listening as served

init = main.commands["init"]

SECRETS = (PASSWORD, EMAIL)


class Counting(Koncili):
    """A mock that counts its calls."""

    calls: int = 0

    def handle(self, request: Any) -> Any:
        self.calls += 1
        return super().handle(request)


@pytest.fixture(autouse=True)
def _of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KONCILI_EMAIL", EMAIL)
    monkeypatch.setenv("KONCILI_PASSWORD", PASSWORD)


def called(path: Path, base_url: str, *options: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(
        init, [str(path), "--base-url", base_url, "--integrator", INTEGRATOR, *options], input=typed
    )


def test_a_file_is_written_that_holds_no_secret_and_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.toml"
    koncili = Counting()
    with served(koncili) as base_url:
        result = called(path, base_url)
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [secret for secret in SECRETS if secret in path.read_text(encoding="utf-8") + result.output] == []
    assert koncili.calls <= 10
    target = load_target(path)
    assert [(place.id, place.channel) for place in target.accounts][:1] == [(19055, "CHANNEL_NAME")]
    assert target.fixtures.inactive_account
    assert target.fixtures.disabled_account
    assert target.fixtures.unauthorised_channel
    assert "○ DEL-03: needs fixtures.foreign_order" in result.output.replace("AUTH-05: ", "")
    assert f"certify --target {path} --profile smoke" in result.output
    spent = [
        int(line.split(" client errors")[0].split()[-1]) for line in result.output.splitlines() if "at least" in line
    ]
    assert len(spent) == 2
    assert sum(spent) <= 392, "a smoke test and a certification fit one hour"
    wanted = ("DEL-03", "NTF-01", "NTF-02", "NTF-03")
    assert f"refuses {', '.join(wanted)}, unless [not_exercised] in {path} gives a reason" in result.output
    assert load_target(path).not_exercised == {}
    path.write_text(
        path.read_text(encoding="utf-8").replace("# [not_", "[not_").replace('# DEL-03 = "no', 'DEL-03 = "no')
    )
    assert load_target(path).not_exercised == {"DEL-03": "no foreign_order: YOUR REASON"}


@pytest.mark.parametrize(
    ("code", "status"), [("404-3", 404), ("404-1", 404), (None, 500)], ids=["as if it were usable", "unknown", "broken"]
)
def test_what_is_answered_otherwise_than_documented_is_no_fixture(
    tmp_path: Path, code: str | None, status: int
) -> None:
    """Else a rule would be seen broken that nobody has shown to be."""

    class Other(Koncili):
        def handle(self, request: Any) -> Any:
            answer = super().handle(request)
            if request.path == "/order" and answer.status in {400, 403}:
                return replace(answer, status=status, body={"errorMessage": "no", "errorCode": code} if code else {})
            return answer

    path = tmp_path / "sandbox.toml"
    with served(Other()) as base_url:
        result = called(path, base_url)
    assert result.exit_code == 0, result.output
    assert "not entered" in result.output
    assert load_target(path).fixtures.inactive_account is None


def refused(path: Path, result: Result, *words: str) -> None:
    """Exit code 3, in words, without a secret or a traceback, and nothing was written."""
    assert result.exit_code == 3, result.output
    assert [word for word in words if word not in result.output] == []
    assert [secret for secret in SECRETS if secret in result.output] == []
    assert "Traceback" not in result.output
    assert not path.exists()


def test_refused_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KONCILI_PASSWORD", "a-wrong-one-of-somebody")
    with served(Koncili()) as base_url:
        result = called(tmp_path / "new.toml", base_url)
    refused(tmp_path / "new.toml", result, "no access token", "check email, password and base_url")
    assert "a-wrong-one" not in result.output


def test_a_host_that_nobody_answers_at(tmp_path: Path) -> None:
    with served(Koncili()) as base_url:
        pass
    refused(tmp_path / "new.toml", called(tmp_path / "new.toml", base_url), base_url)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--account", "19055"], "ID:CHANNEL"),
        (["--account", "x:CHANNEL_NAME"], "ID:CHANNEL"),
        (["--account", "99:CHANNEL_NAME"], "no account can be used"),
        (["--account", "20001:CHANNEL_NAME"], "403-1"),
        (["--email-env", "somebody@koncili.example"], "must be the name of an environment variable"),
        (["--email-env", "NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE"),
        (["--environment", "production"], "--allow-production"),
        (["--callback-url", "ftp://here"], "callback_url"),
        (["--coordination", "mysql://here"], "coordination"),
    ],
)
def test_what_can_not_be_is_refused_in_words(tmp_path: Path, options: list[str], word: str) -> None:
    with served(Koncili()) as base_url:
        result = called(tmp_path / "new.toml", base_url, *options)
    refused(tmp_path / "new.toml", result, word)
    assert "somebody@" not in result.output


def test_a_password_in_a_url_is_not_repeated(tmp_path: Path) -> None:
    result = called(tmp_path / "new.toml", "https://me:hunter22@koncili.example")
    refused(tmp_path / "new.toml", result, "[credentials]")
    assert "hunter22" not in result.output


def test_a_file_that_is_there_is_not_written_over_and_nothing_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.toml"
    path.write_text("mine")
    koncili = Counting()
    with served(koncili) as base_url:
        result = called(path, base_url)
    assert (result.exit_code, koncili.calls, path.read_text()) == (3, 0, "mine")
    assert "is there already" in result.output


def test_a_link_to_nowhere_is_no_free_place(tmp_path: Path) -> None:
    (tmp_path / "sandbox.toml").symlink_to(tmp_path / "elsewhere")
    result = called(tmp_path / "sandbox.toml", "http://127.0.0.1:9")
    assert (result.exit_code, (tmp_path / "elsewhere").exists()) == (3, False)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    refused(tmp_path / "no" / "new.toml", called(tmp_path / "no" / "new.toml", "http://127.0.0.1:9"), "no directory")


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    result = CliRunner().invoke(init, [str(tmp_path / "new.toml")])
    refused(tmp_path / "new.toml", result, "--base-url is missing", "no terminal")


def test_what_is_missing_is_asked_for_and_the_password_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init_command, "has_terminal", lambda: True)
    monkeypatch.delenv("KONCILI_EMAIL")
    monkeypatch.delenv("KONCILI_PASSWORD")
    path = tmp_path / "sandbox.toml"
    with served(Koncili()) as base_url:
        typed = "\n".join(["nonsense", base_url, "no uuid", INTEGRATOR, EMAIL, PASSWORD, ""])
        result = CliRunner().invoke(init, [str(path)], input=typed)
    assert result.exit_code == 0, result.output
    assert "must be a URL" in result.output
    assert "is not a UUID" in result.output
    assert PASSWORD not in result.output + path.read_text(encoding="utf-8")


@pytest.mark.parametrize("end", ["", "http://127.0.0.1:9\n"], ids=["at once", "in the middle"])
def test_an_end_of_input_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr(init_command, "has_terminal", lambda: True)
    result = CliRunner().invoke(init, [str(tmp_path / "new.toml")], input=end)
    refused(tmp_path / "new.toml", result, "interrupted", "was not written")


def test_ctrl_c_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_command, "has_terminal", lambda: True)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(click, "prompt", interrupt)
    refused(tmp_path / "new.toml", CliRunner().invoke(init, [str(tmp_path / "new.toml")]), "interrupted")


def test_more_than_ten_requests_are_never_sent(tmp_path: Path) -> None:
    """Whatever the target answers: here a passing failure to each second call."""

    class Passing(Counting):
        def handle(self, request: Any) -> Any:
            answer = super().handle(request)
            return replace(answer, status=429, headers={"Retry-After": "0"}) if self.calls % 2 else answer

    koncili = Passing()
    with served(koncili) as base_url:
        result = called(tmp_path / "new.toml", base_url)
    assert koncili.calls <= 10
    assert "not entered: 10 requests did not suffice" in result.output


def test_a_list_of_accounts_that_is_none_asks_for_one(tmp_path: Path) -> None:
    class NoList(Koncili):
        def handle(self, request: Any) -> Any:
            answer = super().handle(request)
            return replace(answer, body={"accounts": "many"}) if request.path == "/my-accounts" else answer

    path = tmp_path / "new.toml"
    with served(NoList()) as base_url:
        refused(path, called(path, base_url), "--account ID:CHANNEL")
        result = called(path, base_url, "--account", "19055:CHANNEL_NAME")
    assert result.exit_code == 0, result.output
    assert [place.id for place in load_target(path).accounts] == [19055]


def test_a_file_that_can_not_be_finished_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    with pytest.raises(UnicodeEncodeError):
        write_new(path, "\ud800")
    assert not path.exists()


@pytest.mark.parametrize("channel", ['É "1"\\ \x7f\n', "#", "'", "[x]", "\U0001f4a9", "ação = 1"])
def test_a_channel_is_written_as_it_is(tmp_path: Path, channel: str) -> None:
    path = tmp_path / "new.toml"
    place = {"id": 19055, "channel": channel}
    table = {
        "name": channel, "environment": "sandbox", "base_url": "https://koncili.example", "integrator": INTEGRATOR,
        "credentials": {"email_env": "KONCILI_EMAIL", "password_env": "KONCILI_PASSWORD"}, "accounts": [place],
        "fixtures": {"inactive_account": place},
    }  # fmt: skip
    write_new(path, file_text(table))
    target = load_target(path)
    assert [target.name, target.accounts[0].channel] == [channel, channel]
    assert target.fixtures.inactive_account == target.accounts[0]
