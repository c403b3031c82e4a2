"""What can not run is named, with the remedy."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
from pathlib import Path

import pytest

from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.world import PASSWORD
from conformance.target.shared.budget import KEPT_BACK
from tests.suite.support.command_runs import COMMAND, certify


@pytest.fixture
def target_file(tmp_path: Path) -> Path:
    """A target file for a mock on a port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = tmp_path / "target.toml"
    path.write_text(to_toml(mock_target_table(f"http://127.0.0.1:{port}")))
    return path


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--target", "/nowhere/target.toml"], "/nowhere/target.toml: there is no such target file"),
        (["--profile", "nope"], "there are smoke, certification, deep"),
        (["--rule", "ORD-99"], "no such rule"),
        (["--defect", "ord-4-not-enforced"], "did you mean ord-"),
        (["--variant", "slow"], "no variant 'slow'"),
        (["--waivers", "/nowhere/waivers.toml"], "/nowhere/waivers.toml"),
    ],
)
def test_what_can_not_run_is_named(arguments: list[str], told: str, tmp_path: Path) -> None:
    run = certify(tmp_path, *arguments)
    assert run.code == 3
    assert told in run.errors
    assert "Traceback" not in run.errors + run.output
    assert not (tmp_path / "certificate.json").exists()


def test_a_wrong_option_is_not_mistaken_for_partial(tmp_path: Path) -> None:
    assert certify(tmp_path, "--nope").code == 3


def test_a_target_that_is_not_there(target_file: Path, tmp_path: Path) -> None:
    run = certify(tmp_path, "--target", str(target_file))
    assert run.code == 3
    assert "is the target up?" in run.errors


def test_production_takes_a_word_of_consent(target_file: Path, tmp_path: Path) -> None:
    target_file.write_text(target_file.read_text().replace('environment = "mock"', 'environment = "production"'))
    for consent, told in (
        ([], "name its host: --allow-production=HOST"),
        (["--allow-production"], "no terminal to ask on; name its host: --allow-production=HOST"),
        (["--allow-production=koncili.example"], "is not 'koncili.example'; nothing was sent"),
        (["--allow-production=127.0.0.1"], "is the target up?"),
    ):
        run = certify(tmp_path, "--target", str(target_file), *consent)
        assert run.code == 3
        assert told in run.errors


@pytest.mark.parametrize(
    ("typed", "told"), [("koncili.example", "nothing was sent"), ("127.0.0.1", "is the target up?")]
)
def test_on_a_terminal_consent_is_typed(typed: str, told: str, target_file: Path, tmp_path: Path) -> None:
    target_file.write_text(target_file.read_text().replace('environment = "mock"', 'environment = "production"'))
    ours, theirs = pty.openpty()
    command = [
        str(COMMAND),
        "certify",
        "--reports",
        str(tmp_path / "r"),
        "--target",
        str(target_file),
        "--allow-production",
    ]
    with os.fdopen(ours, "wb", buffering=0) as keyboard:
        run = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        os.close(theirs)
        keyboard.write(f"{typed}\n".encode())
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "Type the name of its host" in output
    assert told in output


def test_reports_that_can_not_be_written(tmp_path: Path) -> None:
    in_the_way = tmp_path / "reports"
    in_the_way.write_text("a file")
    run = certify(in_the_way / "below")
    assert run.code == 3
    assert "choose another place with --reports" in run.errors


def test_wrong_credentials(mock_target: Path, tmp_path: Path) -> None:
    mock_target.write_text(mock_target.read_text().replace(PASSWORD, "another-password"))
    run = certify(tmp_path / "reports", "--target", str(mock_target))
    assert run.code == 3
    assert "check email, password and base_url" in run.errors
    assert "another-password" not in run.errors


def test_off_the_mock_the_budget_is_kept_at_any_pace(mock_target: Path, tmp_path: Path) -> None:
    text = mock_target.read_text().replace('environment = "mock"', 'environment = "sandbox"\nerror_budget = 20')
    mock_target.write_text(text)
    run = certify(tmp_path / "reports", "--target", str(mock_target), "--max-wait", "0")
    assert run.code == 3
    assert f"; {20 - KEPT_BACK} of {20 - KEPT_BACK} are left in this hour" in run.errors
    assert not (tmp_path / "reports" / "certificate.json").exists()
