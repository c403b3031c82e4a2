"""Who signed a certificate, by OpenSSH's own signatures (`ssh-keygen -Y`), beside it in CERTIFICATE.sig."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

NAMESPACE: Final = "koncili-conformance"
"""What keeps a signature made for something else (a commit, a mail) from counting here."""

TIMEOUT_SECONDS: Final = 20.0


class SignatureState(StrEnum):
    """What became of looking for a good signature."""

    NOT_ASKED = "not-asked"
    NOT_LOOKED_AT = "not-looked-at"
    """One lies beside the certificate, but none was asked for."""
    GOOD = "good"
    MISSING = "missing"
    NO_LIST = "no-list"
    """The list of allowed signers can't be read."""
    NO_TOOL = "no-tool"
    BAD = "bad"
    """It is none, or not one of this content."""
    UNKNOWN = "unknown"
    """It is good, but its key is nobody's who may sign."""
    SOMEBODY_ELSES = "somebody-elses"
    """It is good, but not that of the signer who was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What was found out: `said` is ssh-keygen's own explanation, `key` as `ED25519 key SHA256:...`."""

    state: SignatureState
    path: str = ""
    allowed: str = ""
    signer: str = ""
    key: str = ""
    said: str = ""


NONE_ASKED: Final = Signature(state=SignatureState.NOT_ASKED)


def signature_path(certificate: Path) -> Path:
    """Where ssh-keygen leaves the signature of a file."""
    return certificate.with_name(f"{certificate.name}.sig")


def not_asked(certificate: Path) -> Signature:
    """Where nobody asked for a signature."""
    path = signature_path(certificate)
    state = SignatureState.NOT_LOOKED_AT if path.exists() else SignatureState.NOT_ASKED
    return Signature(state=state, path=str(path))


def verify(content: bytes, path: Path, allowed: Path, signer: str | None) -> Signature:
    """Whether the signature in `path` is one of this content by somebody in `allowed` (OpenSSH's allowed_signers), and by
    `signer` where one is named."""
    facts = {"path": str(path), "allowed": str(allowed), "signer": signer or ""}
    if not path.is_file():
        return Signature(state=SignatureState.MISSING, **facts)
    if not (allowed.is_file() and os.access(allowed, os.R_OK)):
        return Signature(state=SignatureState.NO_LIST, **facts)
    try:
        return Signature(**facts | _verified(content, path, allowed, signer))
    except FileNotFoundError:
        return Signature(state=SignatureState.NO_TOOL, **facts)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Signature(state=SignatureState.BAD, said=str(error), **facts)


def _verified(content: bytes, path: Path, allowed: Path, signer: str | None) -> dict[str, Any]:
    """First whether it is one at all, then whose: ssh-keygen says no to both alike."""
    good, key, said = _ask("check-novalidate", "-n", NAMESPACE, "-s", str(path), content=content)
    if not good:
        return {"state": SignatureState.BAD, "said": said}
    found = {"key": key.removeprefix(f'Good "{NAMESPACE}" signature with ')}
    names, said = ([signer], said) if signer else _principals(path, allowed)
    for name in names:
        known = ["-f", str(allowed), "-I", name, "-n", NAMESPACE, "-s", str(path)]
        good, _, said = _ask("verify", *known, content=content)
        if good:
            return found | {"state": SignatureState.GOOD, "signer": name}
    return found | {"state": SignatureState.SOMEBODY_ELSES if signer else SignatureState.UNKNOWN, "said": said}


def _principals(path: Path, allowed: Path) -> tuple[list[str], str]:
    """Whose key it may be."""
    _, names, said = _ask("find-principals", "-f", str(allowed), "-s", str(path), content=b"")
    return names.splitlines(), said


def _ask(what: str, *arguments: str, content: bytes) -> tuple[bool, str, str]:
    """Whether ssh-keygen agrees, what it answers, and how it explains itself. Raises OSError, TimeoutExpired."""
    done = subprocess.run(  # noqa: S603 - no shell; our own words and the user's paths
        ["ssh-keygen", "-Y", what, *arguments],  # noqa: S607 - the one on PATH, as git takes it
        input=content, capture_output=True, check=False, timeout=TIMEOUT_SECONDS,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    )  # fmt: skip
    answer, complaint = (stream.decode(errors="replace").strip() for stream in (done.stdout, done.stderr))
    return done.returncode == 0, answer, complaint or answer
