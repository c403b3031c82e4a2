"""`mock --like CERTIFICATE`: what the certificate says of an endpoint, as the mock takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun
from conformance.mock.like import Broken, Seen, likeness
from conformance.mock.quirks import Quirk
from conformance.report.files import TRAFFIC
from conformance.verdict.certificate import Certificate
from conformance.verdict.certificate_file import load_certificate
from conformance.verdict.observed import ObservedEntry, own_form
from conformance.verdict.verdicts import RuleVerdict


def quirks_like(path: Path) -> tuple[tuple[Quirk, ...], list[str]]:
    """The quirks of a mock that is like the endpoint of that certificate, and what it does not do alike. Raises CannotRun."""
    quirks, left = likeness(seen_in(path))
    return tuple(quirks), left


def seen_in(path: Path) -> Seen:
    """How the endpoint of that certificate answered. Raises CannotRun where it does not say."""
    certificate = load_certificate(path).certificate
    observed = certificate.observed
    if observed is None:
        raise CannotRun(
            f"{path}: does not say how the endpoint answered: it is of an older suite, or of an audit; certify again"
        )
    return Seen(
        readings=certificate.readings,
        accepted=_accepted(observed),
        refusals={
            rule: _refusal(_most(counts))
            for rule, counts in observed.refusals.items()
            if rule not in _OF_SEVERAL_KINDS and counts and max(counts.values()) >= ONE * sum(counts.values())
        },
        delays={label: delay.median for label, delay in observed.delays.items()},
        forms={kind: own_form(kind, counts) for kind, counts in observed.forms.items()},
        broken=tuple(_broken(certificate)),
        taken=tuple(_taken(path.with_name(TRAFFIC))),
    )


MOST_TAKEN: Final = 40

ONE: Final = Fraction(9, 10)
"""Of a rule that is refused in several ways the way that is taken this often is the endpoint's; else the documented one is."""

_OF_SEVERAL_KINDS: Final = frozenset({"ERR-04"})
"""Rules whose breaches are not refused alike: a wrong path and a wrong method."""


def _taken(traffic: Path) -> list[bytes]:
    """Orders that were accepted, from all over the run, by the HAR beside the certificate; none where there is none."""
    try:
        entries = json.loads(traffic.read_text(encoding="utf-8"))["log"]["entries"]
        taken = [
            str(entry["request"]["postData"]["text"]).encode()
            for entry in entries
            if entry["request"]["method"] == "POST"
            and str(entry["request"]["url"]).endswith(Endpoint.SUBMIT_ORDER.path)
            and entry["response"]["status"] // 100 == 2  # noqa: PLR2004
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return taken[:: max(1, len(taken) // MOST_TAKEN)]


def _accepted(observed: ObservedEntry) -> dict[str, int]:
    accepted = {
        label: {status: count for status, count in counts.items() if status.startswith("2")}
        for label, counts in observed.statuses.items()
    }
    return {label: int(_most(counts)) for label, counts in accepted.items() if counts}


def _most(counts: Mapping[str, int]) -> str:
    return max(counts, key=lambda text: counts[text])


def _refusal(text: str) -> tuple[int, str | None]:
    status, _, code = text.partition(" ")
    return int(status), code or None


def _broken(certificate: Certificate) -> Iterator[Broken]:
    for rule in certificate.rules:
        if rule.verdict not in {RuleVerdict.FAIL, RuleVerdict.WAIVED} or rule.hindered_by:
            continue
        for finding in rule.findings:
            example = finding.counterexample or rule.counterexample
            if example is not None:
                request = example.request
                yield Broken(
                    rule=rule.id,
                    finding=finding.id,
                    method=str(request.get("method")),
                    url=str(request.get("url")),
                    body=str(request.get("body") or "").encode(),
                    status=int(example.response.get("status", 0)),
                )
