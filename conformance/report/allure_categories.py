"""What kind of trouble a scenario met, and how Allure sorts by it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.rules import Level
from conformance.verdict.certificate import RuleEntry
from conformance.verdict.evidence import Outcome, ScenarioEvidence
from conformance.verdict.verdicts import RuleVerdict

HARNESS_ERROR: Final = "harness error: "
WHEN_IT_IS_UP: Final = re.compile(r"run again when the (way to the )?target is")
"""The words by which a certification tells an error of its own, and a target that could not be reached."""


class Kind(StrEnum):
    """A kind of trouble, in the words that open its message in Allure."""

    ACCEPTED = "accepted what must be refused"
    REFUSED = "refused what must be accepted"
    WRONG = "wrong code or body"
    SERVER_ERROR = "server error"
    WAIVED = "failing, and waived"
    LATER = "failing, and later than the contract"
    UNAVAILABLE = "target unavailable"
    HARNESS = "harness error"
    UNDECIDED = "undecided"
    NOT_EXERCISED = "not exercised"


STATUSES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.ACCEPTED: "failed", Kind.REFUSED: "failed", Kind.WRONG: "failed", Kind.SERVER_ERROR: "failed",
        Kind.WAIVED: "skipped", Kind.UNAVAILABLE: "broken", Kind.HARNESS: "broken", Kind.UNDECIDED: "broken",
        Kind.NOT_EXERCISED: "skipped", Kind.LATER: "skipped",
    }
)  # fmt: skip
"""Allure's status of each. Only what Koncili gets wrong, and may not, has failed: a failure that is waived, or of a rule
that the contract asked for does not have yet, stops no quality gate, here as in JUnit."""

SERVER_ERROR: Final = 500
CLIENT_ERROR: Final = 400

_EXPECTED: Final = re.compile(r"expected (.*?), but ", re.DOTALL)

_TO_BE_REFUSED: Final = re.compile(r"to be refused|not to be found|no order to be found|^4(\d\d|xx)\b")
"""What must be refused. Not `a period that was refused before`."""

_TO_BE_ACCEPTED: Final = re.compile(
    r"to be accepted|to be answered|to be free|to be there|token to live|no block|no 423|an access token|nothing behind|"
    r"^2(\d\d|xx)\b|^the order as |^the new state|^the order to stay|as it was last accepted$"
)
"""What must be accepted, or found as it was left."""


def kind_of_finding(reason: str, status: int | None) -> Kind:
    """What an endpoint got wrong.

    Inputs: the finding's reason, `RULE: expected ..., but ...`; the status that the endpoint answered with, None where it
    is not about an answer. Where it answered 4xx although the expectation is neither of an acceptance nor of a refusal, what
    is wrong is in the answer.
    """
    found = _EXPECTED.search(reason)
    expected = found[1] if found else ""
    if status is not None and status >= SERVER_ERROR:
        return Kind.SERVER_ERROR
    refused = status is None or status >= CLIENT_ERROR
    if not refused and _TO_BE_REFUSED.search(expected):
        return Kind.ACCEPTED
    if refused and _TO_BE_ACCEPTED.search(expected):
        return Kind.REFUSED
    return Kind.WRONG


def kind_of_scenario(scenario: ScenarioEvidence, *, may_fail: Kind | None = None) -> Kind | None:
    """What kind of trouble a scenario met, None where it passed. `may_fail`: as what its failure counts, where it may."""
    if scenario.outcome is Outcome.PASSED:
        return None
    if scenario.outcome is Outcome.FAILED:
        if may_fail:
            return may_fail
        status = scenario.finding.response.get("status") if scenario.finding else None
        return kind_of_finding(scenario.reason, status)
    if scenario.outcome is Outcome.INCONCLUSIVE:
        return kind_of_doubt(scenario.reason)
    return Kind.NOT_EXERCISED


def as_what_it_may_fail(entry: RuleEntry) -> Kind | None:
    """As what a rule's failure counts, where it may fail; None where it may not."""
    if entry.verdict is RuleVerdict.WAIVED:
        return Kind.WAIVED
    return Kind.LATER if entry.level is Level.LATER else None


def kind_of_doubt(reason: str) -> Kind:
    """Why nothing was decided, from the reason that the certificate gives."""
    if reason.startswith(HARNESS_ERROR):
        return Kind.HARNESS
    if WHEN_IT_IS_UP.search(reason):
        return Kind.UNAVAILABLE
    return Kind.UNDECIDED


def message_of(kind: Kind, reason: str) -> str:
    """The message of a result: its kind on a line of its own, by which Allure sorts it, and the reason."""
    return f"{kind}\n{reason}"


_BY_RULE: Final = frozenset(
    {kind for kind, status in STATUSES.items() if status == "failed"} | {Kind.WAIVED, Kind.LATER}
)


def for_allure_3() -> list[dict[str, Any]]:
    """The categories as Allure 3 wants them, in its configuration: it does not read those of the results."""
    return [
        {
            "name": str(kind),
            "matchers": {"message": f"^{kind}\n"},
            # What failed is told by its rule, the rest by its reason, which many share.
            **({"groupBy": [{"label": "story"}], "groupByMessage": False} if kind in _BY_RULE else {}),
            "expand": status == "failed",
        }
        for kind, status in STATUSES.items()
    ]


def for_allure_2() -> list[dict[str, Any]]:
    """The categories as other readers of Allure's results want them, in `categories.json`."""
    return [
        {"name": str(kind), "matchedStatuses": [status], "messageRegex": rf"^{kind}\n[\s\S]*"}
        for kind, status in STATUSES.items()
    ]


RESOLUTIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "rules": [
            {"messageRegexp": f"^{Kind.WAIVED}\n", "resolution": "accepted", "comment": "waived: see its message"},
            {"messageRegexp": f"^{Kind.LATER}\n", "resolution": "accepted", "comment": "not in the contract asked for"},
        ]
    }
)
"""By which Allure 3 shows waived failures as accepted."""
