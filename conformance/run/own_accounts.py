"""Whether the accounts that a target file names are the integrator's own, enabled, and on those channels: found out before
anything is certified, since with a wrong one every rule would seem broken.

Two witnesses are needed, so that no faulty endpoint keeps itself from being certified: the list of accounts (whose fields no
document names) must not have the account, and a query for an order that nobody has sent must be refused for the account and not
for the order; and where the list has another account that can be asked about, not for that one too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from conformance.contract.coercion import whole_of
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.errors import CannotRun, NotLetIn, TargetUnavailable
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.exchange import Exchange

WRONG_PLACE: Final = frozenset({"404-1", "404-2", "400-2", "403-1", "403-2"})
"""The codes that say of a request that its account or channel is not to be used. (P: error reference)"""

FORBIDDEN: Final = 403

LET_IN: Final = "is `integrator` the right one, and is the address of this machine allow-listed?"
"""What to look at where nobody is let in."""

LISTED_AT_MOST: Final = 20
LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as `GET /my-accounts` lists it. The names of its fields are inferred."""

    id: int
    channel: str
    status: str | None
    api_import: bool | None

    @property
    def problem(self) -> str:
        """Why it can't be used, where it says so."""
        if self.status is not None and self.status.upper() != "ACTIVE":
            return f"is {_shown(self.status)}"
        return "is not enabled for API imports" if self.api_import is False else ""

    def __str__(self) -> str:
        return f"{self.id} on {_shown(self.channel)}{f' ({self.problem})' if self.problem else ''}"


def _shown(text: str) -> str:
    """A target's text, with whatever might mean something to a terminal escaped."""
    return repr(text[:LONGEST_NAME])


def listed(body: JSONValue) -> list[Listed] | None:
    """The accounts of an answer to `GET /my-accounts`; None where it can't be told which they are."""
    rows = [_row(row) for row in body] if isinstance(body, list) else [None]
    found = [row for row in rows if row is not None]
    return found if len(found) == len(rows) else None


def _row(row: JSONValue) -> Listed | None:
    if not isinstance(row, dict):
        return None
    number, channel, status, api_import = (row.get(name) for name in ("id", "channelName", "status", "apiImport"))
    if isinstance(number, Decimal):
        number = whole_of(number)
    is_number = isinstance(number, int | str) and not isinstance(number, bool) and str(number).isascii()
    if (
        not is_number
        or not str(number).isdecimal()
        or len(str(number)) > LISTED_AT_MOST
        or not isinstance(channel, str)
    ):
        return None
    return Listed(
        int(str(number)),
        channel,
        status if isinstance(status, str) else None,
        api_import if isinstance(api_import, bool) else None,
    )


def doubt(account: int, channel: str, accounts: Iterable[Listed]) -> str:
    """What the list says against an account of the target file; nothing where it has it, to be used."""
    same = [one for one in accounts if one.id == account]
    if not same:
        return "is not one of this integrator's accounts"
    there = [one for one in same if one.channel == channel]
    if not there:
        return f"is on channel {', '.join(sorted({_shown(one.channel) for one in same}))}"
    return "" if any(not one.problem for one in there) else there[0].problem


def wrong_accounts(client: KonciliClient, places: Sequence[tuple[int, str]], new_code: Callable[[], str]) -> list[str]:
    """What is wrong with the accounts of a target file, a line each, and last which ones there are; nothing where nothing is,
    or where that can't be told. A query is sent for those alone that the list does not have.

    Raises CannotRun.
    """
    try:
        answer = client.call(Endpoint.LIST_ACCOUNTS)
        if answer.status == FORBIDDEN and places:
            _check_let_in(client, *places[0], new_code())
        accounts = listed(answer.json) if answer.is_accepted else None
        if accounts is None:
            return []
        wrong = []
        for account, channel in places:
            why = doubt(account, channel, accounts)
            code = _refused_with(client, account, channel, new_code()) if why else None
            if code in WRONG_PLACE:
                wrong.append(
                    f"account {account} on channel {channel!r} {why} (GET /my-accounts), and is refused with {code}"
                )
        usable = next((one for one in accounts if not one.problem and (one.id, one.channel) not in places), None)
        if wrong and usable and _refused_with(client, usable.id, usable.channel, new_code()) in WRONG_PLACE:
            return []  # it refuses an account that it lists itself: that is no fault of the target file
    except NotLetIn as error:
        raise CannotRun(f"{error}: {LET_IN}") from None
    except TargetUnavailable:  # nothing to go by: the scenarios will see
        return []
    return [*wrong, f"the accounts of this integrator: {_some(accounts)}"] if wrong else []


def _check_let_in(client: KonciliClient, account: int, channel: str, code: str) -> None:
    """Raises CannotRun where a query, a deletion and a submission that says nothing get a bare 403 too, to a token that was just
    given: then nothing can be certified. A target that answers one of them otherwise lets in, and its 403 is a finding."""
    asked = _query_for(account, channel, code)
    if (
        _is_bare(client.call(Endpoint.GET_ORDER, query=asked))
        and _is_bare(client.call(Endpoint.DELETE_ORDER, query=asked))
        and _is_bare(client.call(Endpoint.SUBMIT_ORDER, body=b"{"))
    ):
        raise CannotRun(f"{client.target.base_url} gives a token and refuses every call with it (403): {LET_IN}")


def _refused_with(client: KonciliClient, account: int, channel: str, code: str) -> str | None:
    """The code with which a query for an order that nobody has sent is refused."""
    return _query(client, account, channel, code).error_code


def _is_bare(refusal: Exchange) -> bool:
    return refusal.status == FORBIDDEN and refusal.error_code not in WRONG_PLACE


def _query(client: KonciliClient, account: int, channel: str, code: str) -> Exchange:
    return client.call(Endpoint.GET_ORDER, query=_query_for(account, channel, code))


def _query_for(account: int, channel: str, code: str) -> dict[str, str]:
    return {"marketplaceCode": code, "channelName": channel, "accountId": str(account)}


def _some(accounts: Sequence[Listed]) -> str:
    more = len(accounts) - LISTED_AT_MOST
    return ", ".join([*map(str, accounts[:LISTED_AT_MOST]), *([f"and {more} more"] if more > 0 else [])]) or "none"
