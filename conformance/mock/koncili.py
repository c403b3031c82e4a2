"""The mock's behaviour: each request is judged, then refused with the documented body or carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any

from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    EXPIRES_IN_FIELD,
    REFRESH_TOKEN_FIELD,
    Endpoint,
)
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import Breach
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS, resolve
from conformance.contract.rules import catalogue
from conformance.mock.clock import VirtualClock
from conformance.mock.quirks import Answer, Quirk, hooks
from conformance.mock.world import MockWorld, OrderKey, furnish

# Where the catalogue documents a class of statuses, the mock must choose one.
_CHOSEN_STATUS = {"AUTH-02": 401, "AUTH-07": 401, "AUTH-08": 400, "DEL-03": 400}

NO_TOKEN = {"response": "NO_TOKEN"}


def refusal(breach: Breach) -> Answer:
    """The documented answer to a broken rule (P: error reference)."""
    if breach.rule in {"AUTH-03", "AUTH-04", "AUTH-05"}:
        return Answer(403, NO_TOKEN)
    if breach.rule == "ERR-04":
        status = 405 if breach.field == "method" else 404
        code = f"{status}-0"
    else:
        rule = catalogue()[breach.rule]
        status = _CHOSEN_STATUS.get(breach.rule) or int(str(rule.refused))
        code = rule.codes[0] if rule.codes else f"{status}-0"
    return Answer(status, {"errorMessage": breach.message, "errorCode": code, "errorSource": breach.field})


class Koncili:
    """A stateful Koncili: one world, one clock, and the quirks that make it differ from what is documented."""

    def __init__(
        self,
        *,
        clock: VirtualClock | None = None,
        quirks: Sequence[Quirk] = (),
        readings: Mapping[str, str] | None = None,
    ) -> None:
        """`readings` are those that the mock itself follows; any left out has its default."""
        self.readings = resolve(readings or {})
        self.clock = clock or VirtualClock()
        self.quirks = tuple(quirks)
        self.world = MockWorld(self.clock, token_seconds=TOKEN_LIFETIME_SECONDS[self.readings["token-lifetime"]])
        for quirk in self.quirks:
            if quirk.token_seconds is not None:
                self.world.token_seconds = quirk.token_seconds
            if quirk.shows_at is not None:
                self.world.shows_at = quirk.shows_at
        self._lock = RLock()
        furnish(self.world)

    def handle(self, request: Request) -> Answer:
        """Answer one request; requests are handled one at a time."""
        with self._lock:
            answer = self._respond(request)
            for rewrite in hooks(self.quirks, "answers"):
                answer = rewrite(request, answer)  # type: ignore[assignment]
            return answer

    def _respond(self, request: Request) -> Answer:
        breaches = [
            breach
            for breach in judge(request, self.world, self.readings)
            if not any(overlooks(breach, request) for overlooks in hooks(self.quirks, "overlooks"))
        ]
        if not breaches and request.endpoint is Endpoint.SUBMIT_ORDER and (body := request.fields):
            objections = (objects(request, body) for objects in hooks(self.quirks, "objects"))
            breaches = [objection for objection in objections if isinstance(objection, Breach)]
        if breaches:
            for hook in hooks(self.quirks, "after_refusal"):
                hook(self.world, request)
            return refusal(breaches[0])
        return self._carry_out(request)

    def _carry_out(self, request: Request) -> Answer:
        actions = {
            Endpoint.CREATE_TOKEN: self._create_token,
            Endpoint.REFRESH_TOKEN: self._refresh,
            Endpoint.LIST_ACCOUNTS: self._accounts,
            Endpoint.SUBMIT_ORDER: self._submit,
            Endpoint.GET_ORDER: self._query,
            Endpoint.DELETE_ORDER: self._delete,
        }
        if request.endpoint is None:  # only a mock that overlooks wrong paths comes here
            return Answer(200, {})
        return actions[request.endpoint](request)

    def _create_token(self, _: Request) -> Answer:
        return self._tokens()

    def _refresh(self, request: Request) -> Answer:
        used = request.fields.get(REFRESH_TOKEN_FIELD)
        if isinstance(used, str) and not any(quirk.reuses_refresh_tokens for quirk in self.quirks):
            self.world.void_refresh_token(used)
        return self._tokens()

    def _tokens(self) -> Answer:
        access, refresh = self.world.issue_tokens()
        lifetime = self.world.token_seconds
        return Answer(200, {ACCESS_TOKEN_FIELD: access, REFRESH_TOKEN_FIELD: refresh, EXPIRES_IN_FIELD: lifetime})

    def _accounts(self, _: Request) -> Answer:
        rows = [
            {
                "id": account.id,
                "channelName": account.channel,
                "status": "ACTIVE" if account.active else "INACTIVE",
                "apiImport": account.api_import,
            }
            for account in self.world.accounts.values()
        ]
        return Answer(200, rows)

    def _submit(self, request: Request) -> Answer:
        body: Any = request.fields
        key = order_key(body)
        if key:  # a mock that overlooks a malformed body has nothing to store
            previous = self.world.stored(key)
            for stores in hooks(self.quirks, "stores"):
                body = stores(body, previous and previous.body, self.world)
            self.world.put(key, body)
        return Answer(200, {"message": "Order received"})

    def _query(self, request: Request) -> Answer:
        key = query_key(request)
        version = self.world.shown(key) if key else None
        body = version.body if version else None
        for shows in hooks(self.quirks, "shows"):
            body = shows(body) if body is not None else None  # type: ignore[assignment]
        if key:
            for hook in hooks(self.quirks, "after_query"):
                hook(self.world, key)
        return Answer(200, body if body is not None else {})

    def _delete(self, request: Request) -> Answer:
        key = query_key(request)
        if key:
            if self.world.stored(key):
                self.world.put(key, None)
            for hook in hooks(self.quirks, "after_deletion"):
                hook(self.world, key)
        return Answer(200)


def order_key(body: Mapping[str, Any]) -> OrderKey | None:
    """The identity of the order in a submission, or None where it has none."""
    account, channel, code = (body.get(name) for name in ("accountId", "channelName", "marketplaceCode"))
    if not isinstance(channel, str) or not isinstance(code, str) or not str(account).isdecimal():
        return None
    return int(str(account)), channel, code


def query_key(request: Request) -> OrderKey | None:
    """The identity of the order that a query or deletion asks for, or None where it names none."""
    return order_key(request.query)
