"""A first look at an endpoint, for whoever has no target file yet: what it takes, which accounts it has, which of them can be
fixtures. At most ten requests, within the integrator's budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import resolve
from conformance.errors import CannotRun, NotLetIn, TargetUnavailable
from conformance.run.live import budget_of
from conformance.run.own_accounts import LET_IN, Listed, listed
from conformance.target.config import Place, Target
from conformance.target.shared.budget import Budget
from conformance.target.shared.store import open_store
from conformance.target.waiting import Waiting
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor

REQUESTS_AT_MOST: Final = 10

ACCOUNTS_AT_MOST: Final = 3
"""So many accounts of a list are entered: two on a channel let more be exercised, and each is asked about."""

WAITS_SECONDS: Final = 60.0

NO_ORDER, DISABLED, INACTIVE, UNAUTHORISED = "404-3", "400-2", "403-1", "403-2"
"""The codes with which a query for an order that nobody has sent is refused, by what its account is. (P: error reference)"""

FORBIDDEN: Final = 403

FOREIGN: Final = "can't be found out: enter an order that did not come through the API"


class Mark(StrEnum):
    """What a first look says of a line of the target file."""

    SEEN = "seen"
    DOUBTFUL = "doubtful"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the target file, and what the endpoint says of it."""

    mark: Mark
    key: str
    what: str


@dataclass(slots=True)
class FirstLook:
    """What was found."""

    lines: list[Line] = field(default_factory=list)
    accounts: list[Place] = field(default_factory=list)
    """Those that can be used."""
    fixtures: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0
    client_errors: int = 0


class EnoughAsked(CannotRun):
    """All requests of a first look were sent."""


class AtMost:
    """A budget that lets so many requests through and no more."""

    def __init__(self, inner: Budget, requests: int) -> None:
        self._inner = inner
        self._left = requests

    def before(self, endpoint: Endpoint | None) -> str:
        """As the budget within. Raises CannotRun for one request too many."""
        if not self._left:
            raise EnoughAsked(
                f"{REQUESTS_AT_MOST} requests did not suffice for a first look; run again when the target is well"
            )
        self._left -= 1
        return self._inner.before(endpoint)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def first_look(target: Target, stated: Sequence[Place], waiting: Waiting) -> FirstLook:
    """What the endpoint of a target says of its credentials and accounts: those that are `stated`, else those that it lists.

    Raises CannotRun with the remedy where it can't be asked, or has no account that can be used.
    """
    found = FirstLook()
    with _asking(target, waiting) as (client, redactor):
        try:
            _look(client, stated, found)
        except NotLetIn as error:
            raise CannotRun(redactor.text(f"{error}: {LET_IN}")) from None
        except TargetUnavailable as error:
            raise CannotRun(redactor.text(f"{error}; is base_url right, and is the target up?")) from None
        finally:
            spent = client.journal.spent()
            found.requests, found.client_errors = sum(spent.requests.values()), spent.client_errors
        found.lines = [replace(line, what=redactor.text(line.what)) for line in found.lines]
    return found


@contextmanager
def _asking(target: Target, waiting: Waiting) -> Iterator[tuple[KonciliClient, Redactor]]:
    redactor = Redactor()
    store = open_store(target)
    try:
        budget = budget_of(target, store, waiting)
        try:
            budget.check_block()
            limited: Any = AtMost(budget, REQUESTS_AT_MOST)
            journal = Journal(redactor, None, target.credentials.values()[0])
            with KonciliClient(
                target, journal=journal, budget=limited, readings=dict(resolve(target.readings)), waiting=waiting
            ) as client:
                yield client, redactor
        finally:
            budget.close()
    finally:
        store.close()


def _look(client: KonciliClient, stated: Sequence[Place], found: FirstLook) -> None:
    client.access_token()
    found.lines.append(Line(Mark.SEEN, "base_url", client.target.base_url))
    found.lines.append(Line(Mark.SEEN, "credentials", "a token was given for them"))
    answer = client.call(Endpoint.LIST_ACCOUNTS)
    if answer.status == FORBIDDEN:
        raise CannotRun(f"{client.target.base_url} gives a token and refuses GET /my-accounts with it (403): {LET_IN}")
    accounts = listed(answer.json) if answer.is_accepted else None
    if accounts is None:
        told = f"GET /my-accounts answers {answer.status}, and no list of accounts that can be read"
        found.lines.append(Line(Mark.DOUBTFUL, "integrator", told))
    else:
        found.lines.append(Line(Mark.SEEN, "integrator", f"GET /my-accounts lists {_counted(len(accounts))}"))
    wanted = list(stated) or [Place(id=one.id, channel=one.channel) for one in accounts or () if not one.problem]
    if not wanted:
        raise CannotRun(
            "GET /my-accounts lists no account that is active and enabled for API imports; name one: --account ID:CHANNEL"
            if accounts is not None
            else "GET /my-accounts gives no list of accounts; name one that is enabled for API imports: --account ID:CHANNEL"
        )
    for place in wanted[:ACCOUNTS_AT_MOST]:
        _try_account(client, place, found)
    if not found.accounts:
        told = "\n".join(f"{line.key}: {line.what}" for line in found.lines if line.mark is Mark.MISSING)
        raise CannotRun(
            f"no account can be used\n{told}\nname one that is enabled for API imports: --account ID:CHANNEL"
        )
    if len(wanted) > ACCOUNTS_AT_MOST:
        more = f"{len(wanted) - ACCOUNTS_AT_MOST} more that can be added are listed"
        found.lines.append(Line(Mark.DOUBTFUL, "accounts", more))
    _find_fixtures(client, accounts or [], found)


def _counted(number: int) -> str:
    return f"{number} account" if number == 1 else f"{number} accounts"


def _try_account(client: KonciliClient, place: Place, found: FirstLook) -> None:
    code, told = _asked(client, place)
    key = f"account {place.id} on {place.channel!r}"
    if code in {DISABLED, INACTIVE, UNAUTHORISED, "404-1", "404-2"}:
        found.lines.append(Line(Mark.MISSING, key, f"can't be used: {told}"))
        return
    found.accounts.append(place)
    found.lines.append(Line(Mark.SEEN if code == NO_ORDER else Mark.DOUBTFUL, key, told))


def _asked(client: KonciliClient, place: Place) -> tuple[str | None, str]:
    """With which code a query for an order that nobody has sent is refused there, and that in words."""
    query = {
        "marketplaceCode": f"701-{uuid4().int % 10**7:07}-0000000",
        "channelName": place.channel,
        "accountId": str(place.id),
    }
    answer: Exchange = client.call(Endpoint.GET_ORDER, query=query)
    code = answer.error_code
    shown = f"{answer.status} {code!r}" if code is not None else f"{answer.status}"
    return code, f"a query for an order that nobody sent is answered {shown}"


def _place(account: Listed | None) -> Place | None:
    return None if account is None else Place(id=account.id, channel=account.channel)


def _find_fixtures(client: KonciliClient, accounts: Sequence[Listed], found: FirstLook) -> None:
    """Which of the accounts that are listed show what an unusable one is answered; each is asked about once."""
    home = found.accounts[0]
    inactive = next((one for one in accounts if one.status is not None and one.status.upper() != "ACTIVE"), None)
    disabled = next((one for one in accounts if one.api_import is False and one is not inactive), None)
    own = {one.channel for one in accounts if one.id == home.id} | {home.channel}
    other = next((one.channel for one in accounts if one.channel not in own), None)
    candidates = {
        "inactive_account": (_place(inactive), INACTIVE, "no account that is inactive"),
        "disabled_account": (_place(disabled), DISABLED, "none that is not enabled for API imports"),
        "unauthorised_channel": (
            Place(id=home.id, channel=other) if other else None, UNAUTHORISED, "no channel besides those of this account",
        ),
    }  # fmt: skip
    for name, (place, wanted, lacking) in candidates.items():
        key = f"fixtures.{name}"
        if place is None:
            found.lines.append(Line(Mark.MISSING, key, f"GET /my-accounts lists {lacking}"))
            continue
        try:
            code, told = _asked(client, place)
        except (EnoughAsked, TargetUnavailable) as error:
            found.lines.append(Line(Mark.DOUBTFUL, key, f"not entered: {error}"))
            continue
        where = f"{place.id} on {place.channel!r}: {told}"
        if code == wanted:
            found.fixtures[name] = {"id": place.id, "channel": place.channel}
            found.lines.append(Line(Mark.SEEN, key, where))
        else:  # a fixture that is none would make rules fail that hold
            told = f"{where}, and {wanted} is documented: not entered; enter it if you know it to be one"
            found.lines.append(Line(Mark.DOUBTFUL, key, told))
    found.lines.append(
        Line(
            Mark.MISSING,
            "fixtures.foreign_order",
            FOREIGN,
        )
    )
