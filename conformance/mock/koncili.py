"""The mock's behaviour: each request is judged, then refused with the documented body or carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, Final, TypeVar

from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, EXPIRES_IN_FIELD, REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import Breach
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS, resolve
from conformance.contract.reconciliation_rules import entries_of, is_whole, period_of
from conformance.contract.rules import catalogue
from conformance.mock.clock import VirtualClock
from conformance.mock.faults import Faults
from conformance.mock.in_flight import Arrival, InFlight
from conformance.mock.limits import Limits
from conformance.mock.notifications import Notifier
from conformance.mock.quirks import Answer, Quirk, hooks, readings_of
from conformance.mock.request_log import RequestLog
from conformance.mock.state import Tally, state_of
from conformance.mock.world import MockWorld, OrderKey, Reconciliation, Version, furnish, order_key

# Where the catalogue documents a class of statuses, the mock must choose one; 400 unless it stands here.
_CHOSEN_STATUS = {"AUTH-02": 401, "AUTH-07": 401}

FIRST_ID: Final = 237
"""The id of the first reconciliation (S2's example)."""

RECONCILES_IN: Final = timedelta(seconds=2)
"""How long the mock takes to reconcile once all releases are in; no document says."""

INTEGRATOR_NAME: Final = "mock integrator"

NO_TOKEN = {"response": "NO_TOKEN"}

SERVER_ERROR: Final = Answer(500, {"errorMessage": "Internal server error", "errorCode": "500-0", "errorSource": None})
"""What a mock answers where it does not cope."""


def refusal(breach: Breach, quirks: Sequence[Quirk] = ()) -> Answer:
    """The documented answer to a broken rule (P: error reference)."""
    for choose in hooks(quirks, "refuses_as"):
        if (seen := choose(breach.rule)) is not None:
            status, code = seen
            told = {"errorMessage": breach.message, "errorSource": breach.field}
            return Answer(status, NO_TOKEN if code == NO_TOKEN["response"] else {**told, "errorCode": code})
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

Seen = TypeVar("Seen")


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
        self._stated = dict(readings or {})
        self.readings = resolve(self._stated)
        self.clock = clock or VirtualClock()
        self.quirks = tuple(quirks)
        self._known_hooks: tuple[Sequence[Quirk], dict[str, list[Callable[..., Any]]]] = (self.quirks, {})
        """The hooks of these quirks by name: each request asks for a dozen."""
        self.world = furnish(self._empty_world())
        self.limits = Limits(self.clock, **_thresholds(self.quirks))
        self.notifier = Notifier(self.clock)
        self._lock = RLock()
        self.in_flight = InFlight(self._lock)
        self._requests = 0
        self._tally = Tally()
        self.faults = Faults()
        """What happens to calls on their way, and to notifications."""
        self.log = RequestLog()
        self.witness: Witness | None = None
        """Is shown every request with its answer, and when each was, by the mock's clock."""

    def _empty_world(self) -> MockWorld:
        """A world in which nothing is, as the quirks have it."""
        world = MockWorld(self.clock, token_seconds=TOKEN_LIFETIME_SECONDS[self.readings["token-lifetime"]])
        for quirk in self.quirks:
            if quirk.token_seconds is not None:
                world.token_seconds = quirk.token_seconds
            world.tokens_by_the_second = world.tokens_by_the_second or quirk.tokens_by_the_second
            if quirk.shows_at is not None:
                world.shows_at = quirk.shows_at
            if quirk.key is not None:
                world.key = quirk.key
        return world

    def handle(self, request: Request) -> Answer:
        """Answer one request; requests are handled one at a time, unless a quirk lets others in between."""
        with self._lock, self.in_flight.arriving(request) as arrival:
            self._finish_reconciliations()
            answer = self._crowded(arrival, "at_once") or self._busy() or self._answer(request, arrival)
            answer = self._crowded(arrival, "loses_at_once") or answer
            self._tally.count(request.endpoint, answer.status)
            if any(quirk.first_answered_last for quirk in self.quirks):
                self.in_flight.answer_after_others(arrival)
            return answer.having(breaches=tuple(arrival.breaches)) if arrival.breaches else answer

    def _hooks(self, name: str) -> list[Callable[..., Any]]:
        quirks, known = self._known_hooks
        if quirks is not self.quirks:
            quirks, known = self._known_hooks = (self.quirks, {})
        if name not in known:
            known[name] = hooks(quirks, name)
        return known[name]

    def _crowded(self, arrival: Arrival, hook: str) -> Answer | None:
        """What a variant answers to one of several that came at once."""
        if not self.in_flight.others or self.limits.enforced:
            return None
        crowd = self.in_flight.crowds
        crowded = (at_once(arrival.request, arrival.number, crowd) for at_once in self._hooks(hook))
        return next((answer for answer in crowded if answer is not None), None)

    def state(self) -> dict[str, JSONValue]:
        """What a test must know of it: see `state_of`."""
        return self.look(lambda world: state_of(world, self._tally))

    def look(self, at: Callable[[MockWorld], Seen]) -> Seen:
        """Look at the world while nothing changes it."""
        with self._lock:
            self._finish_reconciliations()
            return at(self.world)

    def switch(self, quirks: Sequence[Quirk]) -> None:
        """From now on be as these quirks have it, and no others; what is stored stays, and counts of limits are forgotten.

        How HTTP is spoken can't change while it is spoken: quirks of that stay.
        Raises ValueError where two of them have different readings.
        """
        with self._lock:
            spoken = [quirk for quirk in self.quirks if quirk.wire is not None and quirk not in quirks]
            readings = {**self._stated, **readings_of([*spoken, *quirks])}
            self.quirks, self.readings = (*spoken, *quirks), resolve(readings)
            self._put(self.world)
            enforced = self.limits.enforced
            self.limits = Limits(self.clock, **_thresholds(self.quirks))
            self.limits.enforce(on=enforced)

    def reset(self) -> None:
        """Forget orders, reconciliations, counts, queued notifications, faults and the log. Clock, quirks, callback, and whether
        limits hold stay; so do tokens: a client that is logged in need not notice."""
        with self._lock:
            old = self.world
            self._put(furnish(MockWorld(self.clock)))
            self.world.access_tokens, self.world.refresh_tokens = old.access_tokens, old.refresh_tokens
            self.world.renewed_tokens = old.renewed_tokens
            self.limits.enforce(on=self.limits.enforced)
            self._requests, self._tally = 0, Tally()
            self.notifier.forget()
            self.faults.play([])
            self.log.clear()

    def restore(self, world: MockWorld) -> None:
        """Go on in this world. Counts, faults and the log stay; queued notifications are of the world before, and forgotten."""
        with self._lock:
            self._put(world)
            self.notifier.forget()

    def _put(self, kept: MockWorld) -> None:
        """Have what is in this world, under the keys and with the lifetimes that the quirks have."""
        fitting = self._empty_world()
        for name in ("shows_at", "token_seconds", "tokens_by_the_second", "key"):
            setattr(kept, name, getattr(fitting, name))
        kept.orders = {
            kept.key(_known_as(versions) or key): versions for key, versions in kept.orders.items() if versions
        }
        self.world = kept

    def tick(self) -> None:
        """Do what is due on the clock: finish reconciliations, send notifications."""
        with self._lock:
            self._finish_reconciliations()
        self.notifier.deliver()

    def control(self, command: Mapping[str, JSONValue]) -> None:
        """Do what a test asks of the mock and nobody could ask of Koncili: see commands.py. Raises ValueError for what it does
        not know."""
        from conformance.mock.commands import actions_of

        actions = actions_of(command, self)  # all are looked at before any is carried out
        with self._lock:
            for action in actions:
                action(self)
        self.tick()

    # -- what time brings ------------------------------------------------------------------------------------------

    def _finish_reconciliations(self) -> None:
        for reconciliation in self.world.finish_due(self.readings["total-net-value"]):
            for hook in self._hooks("after_completion"):
                hook(self.world, reconciliation)
            done = reconciliation.situation == "CONCILIED"
            payload: dict[str, JSONValue] = {
                "accountId": reconciliation.account,
                "reconciliationId": reconciliation.id,
                "resolvedEndDate": _utc(reconciliation.end) if done else None,
                "situation": reconciliation.situation,
            }
            self._notify("RECONCILIATION_COMPLETED", payload)

    def notify_sample(self, type_: str) -> None:
        """Send a notification of a type of `SAMPLE_PAYLOADS`."""
        self._notify(type_, SAMPLE_PAYLOADS[type_])

    def _notify(self, type_: str, payload: JSONValue) -> None:
        if self.notifier.url is None:
            return
        rewrite = next((quirk.notifies for quirk in self.quirks if quirk.notifies), None)
        self.notifier.emit(type_, payload, rewrite=rewrite, late=self.faults.copies(type_))

    def _notify_block(self, type_: str | None) -> None:
        if type_ is not None:
            self.notify_sample(type_)
        if self.limits.just_blocked_for_good():
            self.notify_sample("BLOCKED_PERMANENT")

    def _busy(self) -> Answer | None:
        """A passing failure, where a variant has them. Not while limits are looked at: then each answer is counted."""
        if self.limits.enforced:
            return None
        self._requests += 1
        return next((answer for busy in self._hooks("busy") if (answer := busy(self._requests))), None)

    def _answer(self, request: Request, arrival: Arrival) -> Answer:
        blocked = self.limits.before(request.endpoint)
        answer = blocked or self._respond(request, arrival)
        if not blocked:
            for rewrite in self._hooks("answers"):
                answer = rewrite(request, answer)
            lost = [loses(self._requests) for loses in self._hooks("loses") if not self.limits.enforced]
            answer = next((one for one in lost if one is not None), answer)
        self._notify_block(self.limits.after(answer.status))
        return answer

    def _respond(self, request: Request, arrival: Arrival) -> Answer:
        for reads in self._hooks("reads"):
            request = reads(request)
        breaches = self._breaches(request)
        if breaches:
            for hook in self._hooks("after_refusal"):
                hook(self.world, request)
            return self._refused(breaches, arrival)
        if any(crashes(request, self.world) for crashes in self._hooks("crashes")):
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
            return self._refused(breaches, arrival)
        answer = self._carry_out(request)
        if race.writes is not None:
            race.writes(self.world, request, saw)
        return answer

    def _breaches(self, request: Request) -> list[Breach]:
        """What is wrong with a request, as far as this mock notices."""
        world: Any = self.world
        judged = request
        for judges in self._hooks("judges"):
            judged = judges(request)
        for sees in self._hooks("sees"):
            world = sees(self.world)
        breaches = [
            breach
            for breach in judge(judged, world, self.readings)
            if not any(overlooks(breach, request) for overlooks in self._hooks("overlooks"))
            and not any(forgives(breach, request, self.world) for forgives in self._hooks("forgives"))
        ]
        if not breaches and request.endpoint in _WITH_BODY and (body := request.fields):
            objections = (objects(request, body, self.world) for objects in self._hooks("objects"))
            breaches = [objection for objection in objections if isinstance(objection, Breach)]
        return breaches

    def _refused(self, breaches: list[Breach], arrival: Arrival) -> Answer:
        arrival.breaches = breaches
        told = breaches[0]
        for tells in self._hooks("tells"):
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
        return self._tokens(is_renewed=True)

    def _tokens(self, *, is_renewed: bool = False) -> Answer:
        access, refresh = self.world.issue_tokens()
        if is_renewed:
            self.world.renewed_tokens.add(refresh)
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
            for stores in self._hooks("stores"):
                body = stores(body, previous and previous.body, self.world)
            self.world.put(key, body)
        return Answer(200, {"message": "Order received"})

    def _query(self, request: Request) -> Answer:
        key = query_key(request)
        version = self.world.shown(key) if key else None
        body = version.body if version else None
        for finds in self._hooks("finds"):
            body = finds(self.world, key, body) if key else None
        for shows in self._hooks("shows"):
            body = shows(body) if body is not None else None
        if key:
            for hook in self._hooks("after_query"):
                hook(self.world, key)
        return Answer(200, body if body is not None else {})

    def _delete(self, request: Request) -> Answer:
        key = query_key(request)
        if key:
            if self.world.stored(key):
                self.world.put(key, None)
            for hook in self._hooks("after_deletion"):
                hook(self.world, key)
        return Answer(200)

    def _open(self, request: Request) -> Answer:
        body: Any = as_taken(request.fields, self.readings)
        number = FIRST_ID + self.world.reconciliations_opened
        self.world.reconciliations_opened += 1
        for renumber in self._hooks("reconciliation_id"):
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
        for is_complete in self._hooks("is_complete"):
            complete = bool(is_complete(reconciliation))
        if complete and reconciliation.finishes_at is None:
            given = (quirk.reconciles_in for quirk in self.quirks if quirk.reconciles_in is not None)
            takes = next(given, RECONCILES_IN)
            reconciliation.finishes_at = self.clock.now() + takes


_WITH_BODY = {Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE}

SAMPLE_PAYLOADS: Final[dict[str, Any]] = {
    "TEST_NOTIFICATION": None,
    "ACCOUNT_CREATED": {"accountId": 19055, "status": "ACTIVE"},
    "BLOCKED_TEMPORARY": {"integratorName": INTEGRATOR_NAME, "durationMinutes": 60},
    "BLOCKED_PERMANENT": {"integratorName": INTEGRATOR_NAME},
}


def _utc(instant: datetime) -> str:
    try:
        return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:  # within hours of the first or the last instant there is
        return instant.isoformat()


def _known_as(versions: Sequence[Version]) -> OrderKey | None:
    """The identity under which an order was sent, whatever it was kept under."""
    body = next((version.body for version in reversed(versions) if version.body is not None), None)
    return order_key(body) if body is not None else None


def _thresholds(quirks: Sequence[Quirk]) -> dict[str, Any]:
    return {name: n for quirk in quirks for name, n in quirk.limits.items()}


def _any_breach(_breach: Breach, _request: Request, _world: MockWorld) -> bool:
    return True


def query_key(request: Request) -> OrderKey | None:
    """The identity of the order that a query or deletion asks for, or None where it names none."""
    return order_key(request.query)
