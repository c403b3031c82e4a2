"""No secret reaches a file, a terminal, a report, a traceback or the process list, whatever a server answers and a run meets."""

from __future__ import annotations

import base64
import gzip
import os
import re
import socket
import sys
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.mock import world
from conformance.mock.clock import VirtualClock
from conformance.mock.defects import defect
from conformance.run.launch import preflight
from conformance.run.session import Options, Session, open_session
from conformance.target.waiting import silently
from tests.suite.support.marked_secrets import (
    BASE64_FORMS,
    CREDENTIALS,
    EMAIL,
    FORMS,
    PASSWORD,
    Marks,
    marked,
    texts_of,
)
from tests.suite.support.talkative_server import (
    CREDENTIALS_BY_NAME,
    CREDENTIALS_IN_FILE,
    VARIABLES,
    TalkativeServer,
    serving,
    tells_in_pages,
    tells_in_refusals,
    tells_nothing,
    write_target,
)
from tests.suite.support.watched_command import COMMAND, ROOT, Watched, certify, plain_pytest, watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def assert_kept(run: Watched, marks: Marks) -> None:
    """No mark is in anything that the run left, and nothing of it was for others to read."""
    leaks = {where: found for where, raw in run.left() if (found := marks.found_in(raw))}
    assert leaks == {}
    assert run.open_to_others == set()


def marks_of(server: TalkativeServer) -> Marks:
    """What a run against it may leave nowhere."""
    assert server.faults == []
    assert server.given, "it gave no token"
    return marked([*server.given, *server.given.values(), *server.others])


def rules(*chosen: str) -> list[str]:
    """The options that choose these rules."""
    return [f"--rule={rule}" for rule in chosen]


TELLING: Final = rules("AUTH-01", "AUTH-02", "AUTH-03", "AUTH-04", "AUTH-06", "AUTH-07", "ORD-04", "QRY-02")
"""The rules whose scenarios send credentials and tokens, damaged ones too, and two more."""


# -- the search itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [EMAIL, PASSWORD], ids=["email", "password"])
def test_the_search_finds_every_form(secret: str, form: str) -> None:
    assert marked().found_in(f"<{FORMS[form](secret)}>".encode())


@pytest.mark.parametrize("form", BASE64_FORMS)
def test_the_search_finds_credentials_in_every_form(form: str) -> None:
    assert marked().found_in(f"<{BASE64_FORMS[form](CREDENTIALS)}>".encode())


def test_the_search_finds_a_part_of_a_token_in_what_is_packed() -> None:
    token = world.MockWorld(VirtualClock()).issue_tokens()[0]
    marks = marked([token])
    packed = base64.b64encode(b"{" + token[60:90].encode() + b"}, and more of that kind")
    assert marks.found_in(b'd("data/result.json","' + packed + b'")')
    assert marks.found_in(gzip.compress(packed))
    assert not marks.found_in(token[:20].encode()), "the header of a JWT is no secret"


# -- command lines -------------------------------------------------------------------------------------------------


def test_a_run_without_failures_on_a_terminal(tmp_path: Path) -> None:
    server = TalkativeServer(tells_nothing)
    with serving(server) as base_url:
        target = write_target(tmp_path / "target.toml", base_url, CREDENTIALS_BY_NAME)
        options = [f"--target={target}", "-v", *TELLING]
        run = certify(tmp_path, *options, given=(target,), terminal=True, variables=VARIABLES)
    assert run.code == 2, run.shown  # these rules only
    assert {path.name for path in run.reports.iterdir()} >= {
        "certificate.json",
        "summary.md",
        "junit.xml",
        "ctrf.json",
        "cucumber.ndjson",
        "statement.intoto.json",
        "traffic.har",
    }
    assert f"8 pass, {len(catalogue().rules) - 8} not-exercised".encode() in run.shown
    assert any(b"certify" in command and b"--target" in command for command in run.commands)
    assert_kept(run, marks_of(server))


def test_a_failing_run_against_a_server_that_tells_secrets_in_refusals(tmp_path: Path) -> None:
    server = TalkativeServer(tells_in_refusals)
    with serving(server, defect("ord-04-not-enforced")) as base_url:
        target = write_target(tmp_path / "target.toml", base_url, CREDENTIALS_IN_FILE)
        options = [f"--target={target}", "--no-html", *TELLING, *rules("LIM-01", "ERR-05", "WFL-04")]
        run = certify(tmp_path, *options, given=(target,))
    assert run.code == 1, run.shown
    again = watch(tmp_path, str(COMMAND), "report", given=(target,))
    assert again.code == 0, again.shown
    again.shown += run.shown
    again.commands |= run.commands
    again.open_to_others |= run.open_to_others
    assert_kept(again, marks_of(server))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_run_against_a_server_that_tells_secrets_in_pages(workers: int, tmp_path: Path) -> None:
    server = TalkativeServer(tells_in_pages, opaque=True)
    with serving(server) as base_url:
        target = write_target(tmp_path / "target.toml", base_url, CREDENTIALS_BY_NAME)
        options = [f"--target={target}", f"--workers={workers}", *rules("AUTH-04", "ORD-04")]
        run = certify(tmp_path, "--no-html", *options, given=(target,), variables=VARIABLES)
    assert run.code == 1, run.shown
    assert b"<redacted:password>" in run.shown
    assert_kept(run, marks_of(server))


def test_a_whole_run_against_the_mock_in_process(tmp_path: Path) -> None:
    run = certify(tmp_path, "--no-html", "--defect=auth-04-not-enforced")
    assert run.code == 1, run.shown
    own = {
        "email": world.EMAIL,
        "password": world.PASSWORD,
        "credentials": encode_credentials(world.EMAIL, world.PASSWORD),
    }
    assert_kept(run, Marks(own))
    tokens = re.compile(r"eyJ[\w-]+\.eyJ[\w-]{20,}|\.[\w-]{43}\b")
    assert {where for where, raw in run.left() for text in texts_of(raw) if tokens.search(text)} == set()


def test_refused_credentials(tmp_path: Path) -> None:
    server = TalkativeServer(tells_in_refusals)
    wrong = {"email": EMAIL, "password": PASSWORD + "!"}
    with serving(server) as base_url:
        target = write_target(tmp_path / "target.toml", base_url, wrong)
        run = certify(tmp_path, f"--target={target}", given=(target,))
    assert run.code == 3
    assert b"check email, password and base_url" in run.shown
    assert_kept(run, marked())


def test_a_target_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        target = write_target(tmp_path / "target.toml", base_url, CREDENTIALS_IN_FILE)
        run = certify(tmp_path, f"--target={target}", given=(target,))
    assert run.code == 3
    assert b"is the target up?" in run.shown
    assert_kept(run, marked())


NAME_LIKE: Final = "hunter2mark"
"""A password that could be the name of a key or of a variable."""

MISPLACED: Final = {
    "in base_url": ("base_url", "base_url = 'https://ana:hunter2mark@koncili.example'"),
    "in a base_url that is none": ("base_url", "base_url = 'https://ana:hunter2mark\u2100@koncili.example'"),
    "in brackets": ("base_url", "base_url = 'https://ana:[hunter2mark]@koncili.example'"),
    "in the query of base_url": ("base_url", "base_url = 'https://koncili.example?password=hunter2mark'"),
    "in coordination": ("pace", "coordination = 'redis://:hunter2mark@127.0.0.1'"),
    "as the name of a variable": ("password", "password_env = 'hunter2mark'"),
    "as what cannot be the name of a variable": ("password", "password_env = 'hunter2mark!'"),
    "as a key": ("password", "hunter2mark = ''"),
    "below another key": ("password", "pasword = 'hunter2mark'"),
    "in a list": ("password", "password = ['hunter2mark']"),
    "not closed": ("password", "password = 'hunter2mark"),
}
"""By what went wrong: the key whose line is replaced, and by what."""


@pytest.mark.parametrize("mistake", MISPLACED)
def test_a_password_in_a_wrong_place_of_the_target_file(mistake: str, tmp_path: Path) -> None:
    key, line = MISPLACED[mistake]
    target = write_target(tmp_path / "target.toml", "http://127.0.0.1:1", CREDENTIALS_IN_FILE)
    lines = [line if known.startswith(f"{key} =") else known for known in target.read_text().splitlines()]
    target.write_text("\n".join(lines))
    with pytest.raises(CannotRun) as told:
        open_session(Options(target_file=target))
    assert str(target) in str(told.value)
    assert Marks({"password": NAME_LIKE, "email": EMAIL}).found_in(str(told.value).encode()) == set()


def test_a_password_in_a_wrong_place_of_the_target_file_of_a_run(tmp_path: Path) -> None:
    target = write_target(tmp_path / "target.toml", "http://127.0.0.1:1", {"email": EMAIL, "password_env": PASSWORD})
    run = certify(tmp_path, f"--target={target}", given=(target,))
    assert run.code == 3, run.shown
    assert b"credentials.password_env" in run.shown
    assert_kept(run, marked())


# -- tracebacks ----------------------------------------------------------------------------------------------------

BREAKING: Final = '''
"""Breaks the harness where the test says, with secrets in messages, arguments, locals, prints and logs."""
import logging, os
from conformance.run.plugin import CERTIFICATION

PLACE = os.environ["BREAK"]

def broken(held, client, headers, half):
    credentials, body, cut = client.credentials, repr(headers).encode(), half + "."
    if PLACE != "hook":
        print("printed", held)
    logging.getLogger("harness").warning("logged %s", headers)
    try:
        raise KeyError(client.tokens._password)
    except KeyError as error:
        error.add_note(f"noted {held}")
        if PLACE == "interrupt":
            raise KeyboardInterrupt(f"told {held}")
        raise RuntimeError(f"told {held} {credentials} {client.email} {client.tokens._password!r} {body}") from error

def break_at(place, config):
    if place == PLACE:
        client = config.stash[CERTIFICATION].session.client
        token = client.access_token()
        headers = {"gumgaToken": token, "credentials": client.credentials, "password": client.tokens._password}
        # Pytest shows the first and the last 118 characters or so of a value.
        broken(token, client, headers, "x" * 96 + client.tokens._password + "x" * 300)

def pytest_bdd_before_step_call(request, step): break_at(PLACE if PLACE == "interrupt" else "step", request.config)
def pytest_runtest_logstart(nodeid): NODES.append(nodeid); break_at("hook", CONFIG[0])
def pytest_configure(config): CONFIG.append(config)
def pytest_fixture_setup(fixturedef, request):
    if PLACE == "fixture" and fixturedef.argname == "experiment":
        fixturedef.func = lambda bench, rule: break_at("fixture", request.config)
CONFIG, NODES = [], []
'''

OPTIONS: Final = {
    "locals": ["-l", "--tb=long"],
    "locals at length": ["-vvv", "-l", "--tb=long", "-rA"],
    "the whole trace": ["-l", "--full-trace"],
    "Python's own": ["--tb=native"],
    "in workers": ["-l", "--tb=long", "-n2"],
    "all logs": ["-l", "--log-level=DEBUG", "--log-cli-level=DEBUG", "--log-file=log.txt", "-o", "log_cli=true"],
}
"""Options of plain pytest, by what they show."""


def break_down(tmp_path: Path, place: str, *options: str) -> tuple[Watched, TalkativeServer]:
    """A run of plain pytest that breaks there."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    plugin = plugins / "breaking.py"
    plugin.write_text(BREAKING)
    server = TalkativeServer(tells_nothing, opaque=True)
    with serving(server) as base_url:
        target = write_target(tmp_path / "target.toml", base_url, CREDENTIALS_IN_FILE)
        arguments = [
            "-p",
            "breaking",
            f"--koncili-target={target}",
            "--koncili-rule=ACC-01",
            "--koncili-no-html",
            *options,
        ]
        variables = {"BREAK": place, "PYTHONPATH": f"{ROOT}{os.pathsep}{plugins}", "PYTHONDONTWRITEBYTECODE": "1"}
        run = plain_pytest(tmp_path, *arguments, given=(target, plugin), variables=variables)
    return run, server


@pytest.mark.parametrize("options", OPTIONS)
def test_an_error_of_the_harness(options: str, tmp_path: Path) -> None:
    run, server = break_down(tmp_path, "step", *OPTIONS[options])
    assert run.code == 3, run.shown
    assert b"RuntimeError: told <redacted:accessToken>" in run.shown
    assert b"harness error: RuntimeError: told <redacted" in (run.reports / "certificate.json").read_bytes()
    assert_kept(run, marks_of(server))


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize("place", ["fixture", "hook"])
def test_an_error_outside_of_a_test(place: str, workers: str, tmp_path: Path) -> None:
    run, server = break_down(tmp_path, place, "-l", "--tb=long", workers)
    assert run.code == 3, run.shown
    assert b"RuntimeError: told <redacted:accessToken>" in run.shown
    assert_kept(run, marks_of(server))


def test_an_error_before_the_first_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Session) -> None:
        raise RuntimeError(f"told {PASSWORD} {CREDENTIALS}")

    monkeypatch.setattr(Session, "preflight", broken)
    target = write_target(tmp_path / "target.toml", "http://127.0.0.1:1", CREDENTIALS_IN_FILE)
    with pytest.raises(CannotRun, match="RuntimeError: told <redacted:password>") as told:
        preflight(Options(target_file=target), silently)
    assert marked().found_in(str(told.value).encode()) == set()


# -- interruption --------------------------------------------------------------------------------------------------


def test_ctrl_c_in_a_certification(tmp_path: Path) -> None:
    server = TalkativeServer(tells_in_refusals)
    with serving(server) as base_url:
        target = write_target(tmp_path / "target.toml", base_url, CREDENTIALS_IN_FILE)
        options = [f"--target={target}", "-v", "--no-html"]
        run = certify(tmp_path, *options, given=(target,), interrupt_at="✓".encode(), terminal=True)
    assert run.code == 2, run.shown
    assert_kept(run, marks_of(server))


def test_ctrl_c_in_the_midst_of_secrets(tmp_path: Path) -> None:
    run, server = break_down(tmp_path, "interrupt", "-l", "--full-trace")
    assert run.code == 2, run.shown
    assert b"KeyboardInterrupt: told <redacted:accessToken>" in run.shown
    assert_kept(run, marks_of(server))


def test_ctrl_c_with_its_whole_trace(tmp_path: Path) -> None:
    server = TalkativeServer(tells_in_refusals, opaque=True)
    with serving(server) as base_url:
        target = write_target(tmp_path / "target.toml", base_url, CREDENTIALS_IN_FILE)
        options = [f"--koncili-target={target}", "--full-trace", "-l", "-v", "--koncili-no-html"]
        run = plain_pytest(tmp_path, *options, given=(target,), interrupt_at=b"PASSED")
    assert run.code == 2, run.shown
    assert b"KeyboardInterrupt" in run.shown
    assert_kept(run, marks_of(server))


# -- files ---------------------------------------------------------------------------------------------------------


def test_the_target_file_that_the_mock_writes_is_the_users_alone(tmp_path: Path) -> None:
    run = watch(tmp_path, str(COMMAND), "mock", "--port=0", "--target-file=mock.toml", interrupt_at=b"Ctrl-C ends it.")
    assert world.PASSWORD in (tmp_path / "work" / "mock.toml").read_text()
    assert run.open_to_others == set()
