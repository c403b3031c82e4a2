"""The mock's behaviour: each request is judged, then refused with the documented body or carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any, Final, TypeAlias

from conformance.contract.callbacks import callback_fault
from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, EXPIRES_IN_FIELD, REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import Breach
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS, resolve
from conformance.contract.reconciliation_rules import entries_of, is_whole, period_of
from conformance.contract.rules import catalogue
from conformance.mock.clock import VirtualClock
from conformance.mock.in_flight import Arrival, InFlight
from conformance.mock.limits import Limits
from conformance.mock.notifications import Notifier
from conformance.mock.quirks import Answer, Quirk, hooks
from conformance.mock.state import Tally, state_of
from conformance.mock.world import MockWorld, OrderKey, Reconciliation, furnish

# Where the catalogue documents a class of statuses, the mock must choose one; 400 unless it stands here.
_CHOSEN_STATUS = {"AUTH-02": 401, "AUTH-07": 401}

FIRST_ID: Final = 237
"""The id of the first reconciliation (S2's example)."""

RECONCILES_IN: Final = timedelta(seconds=2)
"""How long the mock takes to reconcile once all releases are in; no document says."""

INTEGRATOR_NAME: Final = "mock integrator"

MOST_AT_ONCE: Final = 8
"""How many requests at once can be announced."""

NO_TOKEN = {"response": "NO_TOKEN"}

SERVER_ERROR: Final = Answer(500, {"errorMessage": "Internal server error", "errorCode": "500-0", "errorSource": None})
"""What a mock answers where it does not cope."""


def refusal(breach: Breach, quirks: Sequence[Quirk] = ()) -> Answer:
    """The documented answer to a broken rule (P: error reference)."""
    if breach.rule in {"AUTH-03", "AUTH-04", "AUTH-05"}:
        return Answer(403, NO_TOKEN)
    if breach.rule == "ERR-04":
        status = 405 if breach.field == "method" else 404
        code = f"{status}-0"
    else:
        rule = catalogue()[breach.rule]
        documented = str(rule.refused)
        chosen = [status for choose in hooks(quirks, "refuses_with") if (status := choose(breach.rule))]
        free = (chosen or [_CHOSEN_STATUS.get(breach.rule, 400)])[0]
        status = int(documented) if documented.isdigit() else free
        code = rule.codes[0] if rule.codes else f"{status}-0"
    return Answer(status, {"errorMessage": breach.message, "errorCode": code, "errorSource": breach.field})


Witness = Callable[[Request, Answer, datetime, datetime], None]


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
            self.world.tokens_by_the_second = self.world.tokens_by_the_second or quirk.tokens_by_the_second
            if quirk.shows_at is not None:
                self.world.shows_at = quirk.shows_at
            if quirk.key is not None:
                self.world.key = quirk.key
        self.limits = Limits(self.clock, **{name: n for quirk in self.quirks for name, n in quirk.limits.items()})
        self.notifier = Notifier(self.clock)
        self._lock = RLock()
        self.in_flight = InFlight(self._lock)
        self._requests = 0
        self._tally = Tally()
        self.witness: Witness | None = None
        """Is shown every request with its answer, and when each was, by the mock's clock."""
        furnish(self.world)

    def handle(self, request: Request) -> Answer:
        """Answer one request; requests are handled one at a time, unless a quirk lets others in between."""
        with self._lock, self.in_flight.arriving(request) as arrival:
            self._finish_reconciliations()
            answer = self._crowded(arrival, "at_once") or self._busy() or self._answer(request, arrival)
            answer = self._crowded(arrival, "loses_at_once") or answer
            self._tally.count(request.endpoint, answer.status)
            if any(quirk.first_answered_last for quirk in self.quirks):
                self.in_flight.answer_after_others(arrival)
            return answer

    def _crowded(self, arrival: Arrival, hook: str) -> Answer | None:
        """What a variant answers to one of several that came at once."""
        if not self.in_flight.others or self.limits.enforced:
            return None
        crowd = self.in_flight.crowds
        crowded = (at_once(arrival.request, arrival.number, crowd) for at_once in hooks(self.quirks, hook))
        return next((answer for answer in crowded if answer is not None), None)

    def state(self) -> dict[str, JSONValue]:
        """What a test must know of it: see `state_of`."""
        with self._lock:
            self._finish_reconciliations()
            return state_of(self.world, self._tally)

    def tick(self) -> None:
        """Do what is due on the clock: finish reconciliations, send notifications."""
        with self._lock:
            self._finish_reconciliations()
        self.notifier.deliver()

    def control(self, command: Mapping[str, JSONValue]) -> None:
        """Do what a test asks of the mock and nobody could ask of Koncili. Raises ValueError for what it does not know.

        advanceSeconds: move the clock; callbackUrl: where notifications go (null: nowhere); enforceLimits: whether rates
        and the blacklist hold, all counts forgotten; notify: send this notification; failReconciliation: let the one of
        this id end in ERROR; abandonReconciliations: forget those that are active; expectAtOnce: so many requests come at once,
        next.
        """
        if not command:
            raise ValueError("no command")
        for name, value in command.items():  # all are looked at before any is carried out
            if name not in _COMMANDS:
                raise ValueError(f"no command {name!r}; there are {', '.join(_COMMANDS)}")
            fault = _COMMANDS[name][0](self, value)
            if fault:
                raise ValueError(f"{name} {fault}")
        with self._lock:
            for name, value in command.items():
                _COMMANDS[name][1](self, value)
        self.tick()

    # -- what time brings ------------------------------------------------------------------------------------------

    def _finish_reconciliations(self) -> None:
        for reconciliation in self.world.finish_due(self.readings["total-net-value"]):
            done = reconciliation.situation == "CONCILIED"
            for hook in hooks(self.quirks, "after_completion"):
                hook(self.world, reconciliation)
            payload: dict[str, JSONValue] = {
                "accountId": reconciliation.account,
                "reconciliationId": reconciliation.id,
                "resolvedEndDate": _utc(reconciliation.end) if done else None,
                "situation": reconciliation.situation,
            }
            self._notify("RECONCILIATION_COMPLETED", payload)

    def _notify(self, type_: str, payload: JSONValue) -> None:
        rewrite = next((quirk.notifies for quirk in self.quirks if quirk.notifies), None)
        self.notifier.emit(type_, payload, rewrite=rewrite)

    def _notify_block(self, type_: str | None) -> None:
        if type_ is not None:
            self._notify(type_, _SAMPLE_PAYLOADS[type_])
        if self.limits.just_blocked_for_good():
            self._notify("BLOCKED_PERMANENT", _SAMPLE_PAYLOADS["BLOCKED_PERMANENT"])

    def _busy(self) -> Answer | None:
        """A passing failure, where a variant has them. Not while limits are looked at: then each answer is counted."""
        if self.limits.enforced:
            return None
        self._requests += 1
        return next((answer for busy in hooks(self.quirks, "busy") if (answer := busy(self._requests))), None)

    def _answer(self, request: Request, arrival: Arrival) -> Answer:
        blocked = self.limits.before(request.endpoint)
        answer = blocked or self._respond(request, arrival)
        if not blocked:
            for rewrite in hooks(self.quirks, "answers"):
                answer = rewrite(request, answer)
            lost = [loses(self._requests) for loses in hooks(self.quirks, "loses") if not self.limits.enforced]
            answer = next((one for one in lost if one is not None), answer)
        self._notify_block(self.limits.after(answer.status))
        return answer

    def _respond(self, request: Request, arrival: Arrival) -> Answer:
        for reads in hooks(self.quirks, "reads"):
            request = reads(request)
        breaches = self._breaches(request)
        if breaches:
            for hook in hooks(self.quirks, "after_refusal"):
                hook(self.world, request)
            return self._refused(breaches)
        if any(crashes(request, self.world) for crashes in hooks(self.quirks, "crashes")):
            return SERVER_ERROR
        race = next((quirk.race for quirk in self.quirks if quirk.race is not None), None)
        contends_for = race.among(request) if race is not None else None
        if race is None or contends_for is None:
            return self._carry_out(request)
        saw = race.looks(self.world, request) if race.looks is not None else None
        self.in_flight.let_others_look(arrival, contends_for)
        is_contended = self.in_flight.is_contended(arrival)
        checks = race.checks_again if is_contended else _any_breach  # nobody came in between
        if checks and (breaches := [one for one in self._breaches(request) if checks(one, request, self.world)]):
            if race.after_refusal is not None and is_contended:
                race.after_refusal(self.world, request)
            return self._refused(breaches)
        answer = self._carry_out(request)
        if race.writes is not None:
            race.writes(self.world, request, saw)
        return answer

    def _breaches(self, request: Request) -> list[Breach]:
        """What is wrong with a request, as far as this mock notices."""
        world: Any = self.world
        judged = request
        for judges in hooks(self.quirks, "judges"):
            judged = judges(request)
        for sees in hooks(self.quirks, "sees"):
            world = sees(self.world)
        breaches = [
            breach
            for breach in judge(judged, world, self.readings)
            if not any(overlooks(breach, request) for overlooks in hooks(self.quirks, "overlooks"))
            and not any(forgives(breach, request, self.world) for forgives in hooks(self.quirks, "forgives"))
        ]
        if not breaches and request.endpoint in _WITH_BODY and (body := request.fields):
            objections = (objects(request, body, self.world) for objects in hooks(self.quirks, "objects"))
            breaches = [objection for objection in objections if isinstance(objection, Breach)]
        return breaches

    def _refused(self, breaches: list[Breach]) -> Answer:
        told = breaches[0]
        for tells in hooks(self.quirks, "tells"):
            told = tells(breaches)
        return refusal(told, self.quirks)

    def _carry_out(self, request: Request) -> Answer:
        actions = {
            Endpoint.CREATE_TOKEN: self._create_token,
            Endpoint.REFRESH_TOKEN: self._refresh,
            Endpoint.LIST_ACCOUNTS: self._accounts,
            Endpoint.SUBMIT_ORDER: self._submit,
            Endpoint.GET_ORDER: self._query,
            Endpoint.DELETE_ORDER: self._delete,
            Endpoint.CREATE_RECONCILIATION: self._open,
            Endpoint.SUBMIT_RELEASE: self._release,
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
        body: Any = as_taken(request.fields, self.readings)
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
        for finds in hooks(self.quirks, "finds"):
            body = finds(self.world, key, body) if key else None
        for shows in hooks(self.quirks, "shows"):
            body = shows(body) if body is not None else None
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

    def _open(self, request: Request) -> Answer:
        body: Any = as_taken(request.fields, self.readings)
        number = FIRST_ID + self.world.reconciliations_opened
        self.world.reconciliations_opened += 1
        for renumber in hooks(self.quirks, "reconciliation_id"):
            number = renumber(number)
        init, end = period_of(body)
        account, channel, quantity = body.get("accountId"), body.get("channelName"), body.get("releasesQtd")
        # A mock that overlooks a malformed body has nothing to open.
        if init is not None and end is not None and str(account).isdecimal() and isinstance(channel, str):
            expected = quantity if is_whole(quantity) else 1
            reconciliation = Reconciliation(
                number, int(account), channel, init, end, expected, body.get("totalNetValue")
            )
            self.world.all_reconciliations.append(reconciliation)
        return Answer(201, {"id": number})

    def _release(self, request: Request) -> Answer:
        body: Any = as_taken(request.fields, self.readings)
        key, number, entries = order_key(body), body.get("reconciliationId"), entries_of(body.get("releases"))
        reconciliation = self.world.opened(number) if is_whole(number) else None
        if key:
            self.world.released.add(key)
        if reconciliation:
            reconciliation.entries += entries
            reconciliation.received += len(entries)
            reconciliation.orders += [key] if key else []
            self._complete(reconciliation)
        return Answer(200, {"message": "Release received"})

    def _complete(self, reconciliation: Reconciliation) -> None:
        """Begin to reconcile once all releases are in."""
        complete = reconciliation.received >= reconciliation.quantity
        for is_complete in hooks(self.quirks, "is_complete"):
            complete = bool(is_complete(reconciliation))
        if complete and reconciliation.finishes_at is None:
            given = (quirk.reconciles_in for quirk in self.quirks if quirk.reconciles_in is not None)
            takes = next(given, RECONCILES_IN)
            reconciliation.finishes_at = self.clock.now() + takes

    # -- control ---------------------------------------------------------------------------------------------------

    def _advance(self, seconds: Any) -> None:
        self.clock.advance(float(seconds))

    def _call_back(self, url: Any) -> None:
        self.notifier.url = url

    def _enforce(self, on: JSONValue) -> None:
        self.limits.enforce(bool(on))

    def _notify_sample(self, type_: Any) -> None:
        self._notify(type_, _SAMPLE_PAYLOADS[type_])

    def _is_open(self, number: JSONValue) -> bool:
        return is_whole(number) and self.world.opened(number) is not None

    def _fail(self, number: Any) -> None:
        reconciliation = self.world.opened(number)
        if reconciliation is not None:
            reconciliation.fails = True

    def _expect(self, requests: Any) -> None:
        self.in_flight.expect(requests)

    def _abandon(self, _: JSONValue) -> None:
        self.world.all_reconciliations = [
            reconciliation for reconciliation in self.world.all_reconciliations if reconciliation.situation is not None
        ]


_WITH_BODY = {Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE}

_SAMPLE_PAYLOADS: Final[dict[str, Any]] = {
    "TEST_NOTIFICATION": None,
    "ACCOUNT_CREATED": {"accountId": 19055, "status": "ACTIVE"},
    "BLOCKED_TEMPORARY": {"integratorName": INTEGRATOR_NAME, "durationMinutes": 60},
    "BLOCKED_PERMANENT": {"integratorName": INTEGRATOR_NAME},
}


def _is_span(seconds: object) -> bool:
    return isinstance(seconds, int | float | Decimal) and not isinstance(seconds, bool) and seconds >= 0


_Fault: TypeAlias = Callable[[Koncili, Any], str]
"""What is wrong with a command's value, empty where nothing is."""


def _takes(what: str, test: Callable[[Koncili, Any], bool]) -> _Fault:
    return lambda koncili, value: "" if test(koncili, value) else f"takes {what}, not {value!r}"


def _callback_fault(koncili: Koncili, url: Any) -> str:
    fault = _takes("a URL or null", lambda _, given: given is None or isinstance(given, str))(koncili, url)
    return fault or (callback_fault(url) if url is not None else "")


_COMMANDS: Final[dict[str, tuple[_Fault, Callable[[Koncili, Any], None]]]] = {
    "advanceSeconds": (_takes("a number that is not negative", lambda _, seconds: _is_span(seconds)), Koncili._advance),
    "callbackUrl": (_callback_fault, Koncili._call_back),
    "enforceLimits": (_takes("true or false", lambda _, on: isinstance(on, bool)), Koncili._enforce),
    "notify": (
        _takes(
            f"one of {', '.join(_SAMPLE_PAYLOADS)}", lambda _, kind: isinstance(kind, str) and kind in _SAMPLE_PAYLOADS
        ),
        Koncili._notify_sample,
    ),
    "failReconciliation": (_takes("the id of one", lambda koncili, number: koncili._is_open(number)), Koncili._fail),
    "abandonReconciliations": (_takes("true", lambda _, yes: yes is True), Koncili._abandon),
    "expectAtOnce": (
        _takes(f"a number of up to {MOST_AT_ONCE}", lambda _, given: is_whole(given) and 0 < given <= MOST_AT_ONCE),
        Koncili._expect,
    ),
}
"""By name: what is wrong with its value, and what it does."""


def _utc(instant: datetime) -> str:
    try:
        return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:  # within hours of the first or the last instant there is
        return instant.isoformat()


def order_key(body: Mapping[str, Any]) -> OrderKey | None:
    """The identity of the order in a submission, or None where it has none."""
    account, channel, code = (body.get(name) for name in ("accountId", "channelName", "marketplaceCode"))
    if not isinstance(channel, str) or not isinstance(code, str) or not str(account).isdecimal():
        return None
    return int(str(account)), channel, code


def _any_breach(_breach: Breach, _request: Request, _world: MockWorld) -> bool:
    return True


def query_key(request: Request) -> OrderKey | None:
    """The identity of the order that a query or deletion asks for, or None where it names none."""
    return order_key(request.query)
