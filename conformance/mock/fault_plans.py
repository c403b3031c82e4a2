"""Plans of faults as JSON, a scenario file and a test write them, read: every error names the key and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.reconciliation_rules import is_whole
from conformance.mock.faults import FAULTS, OF_NOTIFICATIONS, Plan, When


class Malformed(ValueError):
    """What somebody wrote is not what it is to be; the message names the key and the remedy."""


CALLS: Final = tuple(endpoint.label for endpoint in Endpoint)

NOTIFICATIONS: Final = (
    "RECONCILIATION_COMPLETED",
    "TEST_NOTIFICATION",
    "ACCOUNT_CREATED",
    "BLOCKED_TEMPORARY",
    "BLOCKED_PERMANENT",
)

MOST_PLANS: Final = 1_000

MOST_TIMES: Final = 1_000_000_000

MOST_SECONDS: Final = 86_400
"""How late anything can be: a day."""


def plans_of(given: Any) -> list[Plan]:
    """The plans of a list of tables. Raises Malformed."""
    if not isinstance(given, list) or len(given) > MOST_PLANS:
        raise Malformed(f"takes a list of up to {MOST_PLANS:,} faults, such as {EXAMPLE}")
    return [_plan(table, place) for place, table in enumerate(given, 1)]


EXAMPLE: Final = '[{"fault": "502", "call": "POST /order", "times": 2}]'


def _plan(table: Any, place: int) -> Plan:
    try:
        return plan_of(table)
    except Malformed as error:
        raise Malformed(f"of fault {place}: {error}") from None


def plan_of(table: Any) -> Plan:
    """The plan that a table describes. Raises Malformed."""
    if not isinstance(table, Mapping):
        raise Malformed(f"a fault is a table, such as {EXAMPLE[1:-1]}")
    for name in table:
        if name not in KEYS:
            raise Malformed(f"no key {name!r}; there are {', '.join(KEYS)}")
    if "fault" not in table:
        raise Malformed(f"fault is missing: one of {', '.join(FAULTS)}")
    known = {name: KEYS[name](name, value) for name, value in table.items()}
    of_notifications = known["fault"] in OF_NOTIFICATIONS
    for name in ("call", "order") if of_notifications else ("notification",):
        if name in known:
            what = "notifications" if of_notifications else "calls"
            raise Malformed(f"{known['fault']} happens to {what}: leave {name} out")
    when = When(
        known.get("notification" if of_notifications else "call"),
        known.get("order"),
        after=known.get("after", 0),
        every=known.get("every", 1),
        times=known.get("times"),
    )
    return Plan(known["fault"], when, known.get("seconds", 1))


def _one_of(*names: str) -> Callable[[str, Any], str]:
    def read(key: str, value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        near = get_close_matches(str(value), names, n=2)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(names)}"
        raise Malformed(f"no {key} {value!r}; {hint}")

    return read


def _count(least: int) -> Callable[[str, Any], int]:
    def read(key: str, value: Any) -> int:
        if not is_whole(value) or not least <= value <= MOST_TIMES:
            raise Malformed(f"{key} is a whole number of at least {least}, not {value!r}")
        return int(value)

    return read


def _seconds(key: str, value: Any) -> float:
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool) or not 0 <= value <= MOST_SECONDS:
        raise Malformed(f"{key} is a number from 0 to {MOST_SECONDS:,}, not {value!r}")
    return float(value)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Malformed(f"{key} is a text, not {value!r}")
    return value


KEYS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "fault": _one_of(*FAULTS),
    "call": _one_of(*CALLS),  # what it happens to; left out: any call
    "order": _text,  # the marketplaceCode that the call names
    "notification": _one_of(*NOTIFICATIONS),  # of faults of notifications: which; left out: any
    "after": _count(0),  # the first so many pass
    "every": _count(1),  # every so manieth from then on
    "times": _count(1),  # so often; left out: for ever
    "seconds": _seconds,
}
"""What a plan may state, and how it is read."""
