"""Signatures of certificates by OpenSSH's ssh-keygen itself: whose they are, and why one is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.report.files import CERTIFICATE, Reports
from conformance.verdict import signature
from conformance.verdict.signature import (
    NAMESPACE,
    NONE_ASKED,
    Signature,
    SignatureState,
    not_asked,
    signature_path,
    verify,
)

CONTENT = b'{"verdict": "conformant"}\n'
LEAD, CI = "lead@koncili.example", "ci@koncili.example"


@dataclass(frozen=True)
class Desk:
    """A directory with keys, a certificate, and who may sign."""

    directory: Path

    @property
    def certificate(self) -> Path:
        return self.directory / "certificate.json"

    @property
    def signature(self) -> Path:
        return signature_path(self.certificate)

    @property
    def allowed(self) -> Path:
        return self.directory / "allowed_signers"

    def allow(self, who: str) -> None:
        """Let the lead's key sign under these names."""
        self.allowed.write_text(f"{who} {(self.directory / 'lead.pub').read_text()}")

    def sign(self, key: str = "lead", namespace: str = NAMESPACE) -> None:
        self.signature.unlink(missing_ok=True)
        keygen("-q", "-Y", "sign", "-f", str(self.directory / key), "-n", namespace, str(self.certificate))

    def key(self, name: str) -> str:
        """As signatures name it."""
        return f"ED25519 key {keygen('-l', '-f', str(self.directory / f'{name}.pub')).split()[1]}"

    def verify(self, content: bytes = CONTENT, signer: str | None = None) -> Signature:
        return verify(content, self.signature, self.allowed, signer)


def keygen(*arguments: str) -> str:
    """What ssh-keygen answers."""
    return subprocess.run(["ssh-keygen", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk that each test copies, so that keys are made once."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.certificate.write_bytes(CONTENT)
    for name in ("lead", "stranger"):
        keygen("-q", "-t", "ed25519", "-N", "", "-f", str(desk.directory / name))
    desk.allow(f'{LEAD},{CI} namespaces="{NAMESPACE}"')
    desk.sign()
    return desk.directory


@pytest.fixture
def desk(signed: Path, tmp_path: Path) -> Desk:
    """A signed certificate."""
    shutil.copytree(signed, tmp_path, dirs_exist_ok=True)
    return Desk(tmp_path)


def test_a_good_signature_is_told_with_signer_and_key(desk: Desk) -> None:
    paths = {"path": str(desk.signature), "allowed": str(desk.allowed)}
    expected = Signature(state=SignatureState.GOOD, **paths, signer=LEAD, key=desk.key("lead"))
    assert desk.verify() == expected
    assert desk.verify(signer=CI) == Signature(state=SignatureState.GOOD, **paths, signer=CI, key=desk.key("lead"))


def _another_namespace(desk: Desk) -> None:
    desk.sign(namespace="git")


def _no_signature_at_all(desk: Desk) -> None:
    desk.signature.write_text("signed: me\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_another_namespace, "namespace does not match"), (_no_signature_at_all, "missing header")],
)
def test_what_is_no_signature_of_this_content_is_refused(spoil: Callable[[Desk], None], said: str, desk: Desk) -> None:
    spoil(desk)
    found = desk.verify()
    assert (found.state, found.key) == (SignatureState.BAD, "")
    assert said in found.said


def test_a_signature_of_another_content_is_refused(desk: Desk) -> None:
    found = desk.verify(CONTENT + b" ")
    assert found == Signature(
        state=SignatureState.BAD,
        path=str(desk.signature),
        allowed=str(desk.allowed),
        said="Signature verification failed: incorrect signature",
    )


def test_a_key_that_is_nobodys_is_refused(desk: Desk) -> None:
    desk.sign("stranger")
    found = desk.verify()
    assert (found.state, found.key, found.signer) == (SignatureState.UNKNOWN, desk.key("stranger"), "")
    assert found.said == "No principal matched."


def test_a_signature_of_somebody_else_is_refused(desk: Desk) -> None:
    found = desk.verify(signer="boss@koncili.example")
    assert (found.state, found.signer) == (SignatureState.SOMEBODY_ELSES, "boss@koncili.example")
    assert (found.key, found.said) == (desk.key("lead"), "Could not verify signature.")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('namespaces="git"', "not permitted for use in signature namespace"),
        ('valid-before="20200101"', "key has expired"),
    ],
)
def test_a_key_that_may_not_sign_this_is_refused(option: str, said: str, desk: Desk) -> None:
    desk.allow(f"{LEAD} {option}")
    found = desk.verify()
    assert found.state is SignatureState.UNKNOWN
    assert said in found.said
    assert desk.verify(signer=LEAD).state is SignatureState.SOMEBODY_ELSES


def test_a_pattern_of_signers_will_do(desk: Desk) -> None:
    desk.allow("*@koncili.example")
    assert desk.verify().state is SignatureState.GOOD
    assert desk.verify(signer=LEAD).signer == LEAD


def test_a_missing_signature_is_told(desk: Desk) -> None:
    desk.signature.unlink()
    expected = Signature(state=SignatureState.MISSING, path=str(desk.signature), allowed=str(desk.allowed), signer=LEAD)
    assert desk.verify(signer=LEAD) == expected


def test_a_list_of_signers_that_is_missing_or_no_file_is_told(desk: Desk) -> None:
    expected = Signature(state=SignatureState.NO_LIST, path=str(desk.signature), allowed=str(desk.allowed))
    desk.allowed.unlink()
    assert desk.verify() == expected
    desk.allowed.mkdir()
    assert desk.verify() == expected


def test_a_missing_ssh_keygen_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(desk.directory))
    assert desk.verify() == Signature(state=SignatureState.NO_TOOL, path=str(desk.signature), allowed=str(desk.allowed))


def put_keygen(desk: Desk, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An ssh-keygen of our own."""
    (desk.directory / "ssh-keygen").write_text(f"#!/bin/sh\n{script}\n")
    (desk.directory / "ssh-keygen").chmod(0o755)
    monkeypatch.setenv("PATH", f"{desk.directory}:{os.environ['PATH']}")


def test_an_ssh_keygen_that_does_not_end_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    put_keygen(desk, monkeypatch, "exec sleep 5")
    monkeypatch.setattr(signature, "TIMEOUT_SECONDS", 0.05)
    found = desk.verify(signer=LEAD)
    assert "timed out after 0.05 seconds" in found.said
    paths = {"path": str(desk.signature), "allowed": str(desk.allowed)}
    assert found == Signature(state=SignatureState.BAD, **paths, signer=LEAD, said=found.said)


def test_ssh_keygen_is_found_where_no_path_says_where(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert desk.verify().state is SignatureState.GOOD


def test_what_ssh_keygen_says_need_not_be_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    put_keygen(desk, monkeypatch, r"printf 'no \377\n' >&2; exit 1")
    assert desk.verify().said == "no \N{REPLACEMENT CHARACTER}"


def test_ssh_keygen_is_told_no_more_than_it_needs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KONCILI_PASSWORD", "s3cret")
    put_keygen(desk, monkeypatch, f'env > "{desk.directory}/seen"; exit 1')
    assert desk.verify().state is SignatureState.BAD
    seen = dict(line.split("=", 1) for line in (desk.directory / "seen").read_text().splitlines())
    assert seen.keys() - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LC_ALL"}
    assert (seen["PATH"], seen["LC_ALL"]) == (os.environ["PATH"], "C")


def test_what_was_not_asked_for_is_looked_for_only(desk: Desk) -> None:
    path = str(desk.signature)
    assert not_asked(desk.certificate) == Signature(state=SignatureState.NOT_LOOKED_AT, path=path)
    desk.signature.unlink()
    assert not_asked(desk.certificate) == Signature(state=SignatureState.NOT_ASKED, path=path)
    assert NONE_ASKED.state is SignatureState.NOT_ASKED


def test_a_new_run_takes_the_signature_of_the_last_certificate_away(desk: Desk) -> None:
    """ssh-keygen would ask whether to overwrite it, and nobody would answer."""
    assert desk.certificate.name == CERTIFICATE
    reports = Reports(desk.directory)
    reports.claim()
    reports.release()
    assert not desk.signature.exists()
