"""A certificate as it is read back from its file: the JSON as it stands there, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from conformance.errors import CannotRun
from conformance.verdict.certificate import SCHEMA, Certificate

_FAMILY: Final = SCHEMA.rpartition("/")[0]

MOST_FAULTS: Final = 5
"""How many of a document's faults an error tells."""

_COMPLAINTS: Final = {
    "missing": "is missing",
    "extra_forbidden": "is no field that this version of the suite knows",
}

_AS_WRITTEN: Final = "give a certificate.json as a run of `koncili-conformance certify` left it"


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A certificate that was read."""

    raw: bytes
    document: Mapping[str, Any]
    certificate: Certificate


def load_certificate(path: Path) -> CertificateFile:
    """The certificate in that file. Raises CannotRun that names the file, what is wrong with it, and the remedy."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CannotRun(f"{path}: there is no such certificate; `koncili-conformance certify` writes one") from None
    except OSError as error:
        raise CannotRun(f"{path}: cannot be read: {error.strerror}; {_AS_WRITTEN}") from None
    return parse_certificate(raw, str(path))


def parse_certificate(raw: bytes, origin: str) -> CertificateFile:
    """The certificate in the content of a file; `origin` is how errors name the file. Raises CannotRun."""
    try:
        document = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else error
        raise CannotRun(f"{origin}: is not JSON: {why}; {_AS_WRITTEN}") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or not schema.startswith(f"{_FAMILY}/"):
        raise CannotRun(f"{origin}: is no certificate: its schema is not {SCHEMA}; {_AS_WRITTEN}")
    if schema != SCHEMA:
        raise CannotRun(
            f"{origin}: is a certificate of another format, {schema!r}, where this version of the suite reads {SCHEMA}; "
            "use the version that wrote it, or certify again with this one"
        )
    try:
        certificate = Certificate.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        faults = [f"{_place(fault['loc'])} {_COMPLAINTS.get(fault['type'], fault['msg'])}" for fault in error.errors()]
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise CannotRun(
            f"{origin}: is no whole certificate: {', '.join(faults[:MOST_FAULTS] + more)}; {_AS_WRITTEN}"
        ) from None
    return CertificateFile(raw, document, certificate)


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that stands twice, one reader takes the first value and another the last."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands twice in one object")
        found[name] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _place(location: Iterable[str | int]) -> str:
    """`rules[3].verdict`"""
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else part
    return place
