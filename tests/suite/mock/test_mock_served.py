"""The command `mock` as its users start it: where it listens, that it is ready when it says so, https, files, what it prints."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from conformance.commandline.mock_command import mock
from conformance.errors import CannotRun
from conformance.mock.app import CONTROL_PATH
from conformance.mock.serve import LOG_FORMATS, Settings, base_url_of, greeting, is_loopback, serve
from conformance.mock.target import mock_target_table
from tests.suite.support.command_runs import COMMAND
from tests.suite.support.mock_calls import CREDENTIALS
from tests.suite.support.stage.tls import certificate

PATIENCE: Final = 60.0


@contextmanager
def started(*options: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The mock on a free port, and its base URL; it is ended in any case."""
    with subprocess.Popen(
        [str(COMMAND), "mock", "--port=0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[3]
        finally:
            if process.poll() is None:
                process.kill()


def ended(process: subprocess.Popen[str], by: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    """How it ends after a signal: its code, and what it has printed since."""
    process.send_signal(by)
    output, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, output, errors


def test_it_is_ready_when_it_says_so_and_its_files_are_kept(tmp_path: Path) -> None:
    options = [
        "--ready-file=ready",
        "--state=state.json",
        "--log-format=json",
        "--variant=chunked",
        "--variant=one-hour-tokens",
    ]
    with started(*options, cwd=tmp_path) as (process, url):
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE):  # it is not refused
            pass
        assert process.stdout is not None
        assert next(line for line in process.stdout if "one-hour-tokens" in line).startswith("and with ")
        for line in process.stdout:
            if line.startswith("Ctrl-C"):
                break
        assert (tmp_path / "ready").read_text() == f"{url}\n"
        tokens = httpx.post(f"{url}/public/api/auth/token", json=CREDENTIALS, timeout=PATIENCE)
        assert tokens.headers["transfer-encoding"] == "chunked"
        assert tokens.json()["expiresIn"] == 3600
        code, output, errors = ended(process, signal.SIGTERM)
    assert (code, errors) == (0, "")
    (told,) = [json.loads(line) for line in output.splitlines()]
    assert (told["method"], told["path"], told["status"], told["violations"]) == (
        "POST",
        "/public/api/auth/token",
        200,
        [],
    )
    assert not (tmp_path / "ready").exists()
    kept = json.loads((tmp_path / "state.json").read_text())
    assert tokens.json()["accessToken"] in kept["accessTokens"]
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json"]


def test_it_goes_on_in_the_state_that_it_finds_over_https(tmp_path: Path) -> None:
    own, key = certificate(tmp_path)
    options = [f"--tls-certificate={own}", f"--tls-key={key}", "--target-file=mock.toml", "--log-format=human"]
    scenario = '\ufeffvariants = ["one-hour-tokens"]\nlimits = true\n[[faults]]\nfault = "502"\ntimes = 1\n'
    (tmp_path / "scenario.toml").write_text(scenario, encoding="utf-8")
    with started(*options, "--scenario=scenario.toml", "--state=state.json", cwd=tmp_path) as (process, url):
        assert url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(own))
        with httpx.Client(base_url=url, verify=trusting, timeout=PATIENCE) as http:
            answers = [http.post("/public/api/auth/token", json=CREDENTIALS) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [502, 200]
            assert answers[1].json()["expiresIn"] == 3600
        target = (tmp_path / "mock.toml").read_text()
        assert f'base_url = "{url}"' in target
        assert "pace" not in target
        code, output, _ = ended(process)
    assert code == 0
    assert "1 POST /public/api/auth/token 502 " in output
    token = answers[1].json()["accessToken"]
    headers = {"gumgaToken": token, "integrator": "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"}
    with started("--state=state.json", cwd=tmp_path) as (_, url):
        assert httpx.get(f"{url}/my-accounts", headers=headers, timeout=PATIENCE).status_code == 200
        assert httpx.get(url + CONTROL_PATH, timeout=PATIENCE).json()["mock"] == "koncili-conformance"


# -- where it listens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "url", "loopback"),
    [
        ("127.0.0.1", "http://127.0.0.1:8765", True),
        ("127.0.0.2", "http://127.0.0.2:8765", True),
        ("localhost", "http://localhost:8765", True),
        ("::1", "http://[::1]:8765", True),
        ("0.0.0.0", "http://127.0.0.1:8765", False),
        ("::", "http://[::1]:8765", False),
        ("192.0.2.7", "http://192.0.2.7:8765", False),
        ("mock.example", "http://mock.example:8765", False),
    ],
)
def test_its_address_is_one_that_leads_there(host: str, url: str, loopback: bool) -> None:
    assert base_url_of(host, 8765, secure=False) == url
    assert base_url_of(host, 8765, secure=True) == url.replace("http:", "https:")
    assert is_loopback(host) is loopback
    told = greeting(url, mock_target_table(url), [], Settings(host=host), limits=False)
    assert told.startswith(f"mock Koncili at {url}\n")
    assert ("whoever reaches that can command it" in told) is not loopback


def test_what_curl_needs_for_https_is_told() -> None:
    url = "https://127.0.0.1:8765"
    assert f"curl -s --cacert CERTIFICATE -H 'content-type: application/json' {url}/" in greeting(
        url, mock_target_table(url), [], Settings(), limits=False
    )


# -- what it can't do ------------------------------------------------------------------------------------------------


def file(directory: Path, text: str) -> Path:
    path = directory / "given"
    path.write_text(text)
    return path


def test_what_keeps_it_from_serving_is_told(tmp_path: Path) -> None:
    missing, none = tmp_path / "missing", file(tmp_path, "{")
    cases = {
        "no defect 'x'": Settings(defects=("x",)),
        "reads token-lifetime|can't be had|reads extract-types": Settings(
            variants=("extended-extract-types", "portal-extract-types")
        ),
        "cannot be had: .*--host": Settings(host="192.0.2.7"),
        "cannot be read: No such file": Settings(scenario=missing),
        "no TOML": Settings(scenario=none),
        "no state of a mock: .*remove it to begin anew": Settings(state_file=none),
        "no certificate with its key": Settings(certificate=none),
        "give the certificate too, with --tls-certificate": Settings(key=none),
        "cannot be written": Settings(target_file=missing / "mock.toml"),
        "missing/ready: cannot be written": Settings(ready_file=missing / "ready"),
    }
    for says, settings in cases.items():
        with pytest.raises(CannotRun, match=says):
            serve(settings)


def test_its_options_are_its_settings() -> None:
    named = {option.name for option in mock.params}
    assert {"host", "port", "limits", "scenario", "log_format", "ready_file", "target_file"} <= named
    (choice,) = [option.type for option in mock.params if option.name == "log_format"]
    assert tuple(getattr(choice, "choices", ())) == LOG_FORMATS
    assert os.fspath(Settings(target_file=Path("a")).target_file or "") == "a"
