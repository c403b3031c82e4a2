"""Reconciliations as the scenarios handle them: opened, released, and always completed, since one that is active blocks its
channel."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import catalogue
from conformance.engine.bench import Bench, Hindered, Values
from conformance.errors import Doubtful, TargetUnavailable
from conformance.target.inbox import Inbox, Received
from conformance.target.shared.calendar import LONG_SECONDS, Calendar, UsedUp
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, creation_of, release_of
from strategies.periods import PERIOD
from strategies.reconciliations import Batch, plain_batch
from strategies.scope import Place, Scope

STEPS: Final = (5, 60, 600, 3600, 6 * 3600, 24 * 3600)
"""Seconds by which the mock's clock is moved, one after the other, until a reconciliation is completed: no document says how
long that takes."""

PATIENCE_SECONDS, GREAT_PATIENCE_SECONDS = 90.0, 7200.0
"""How long one and the same reconciliation is waited for in all on a target whose clock can't be moved, and with --patient."""

ARRIVAL_SECONDS: Final = 0.3
"""How long a notification that is on its way may take over a socket."""

HEARING_SECONDS: Final = 10.0
"""How long to listen before the other runs are told that this one is going on."""

FIRST_PAUSE: Final = 0.1

LOOKED_AGAIN_SECONDS: Final = 90.0
"""How long after a refusal a place is looked at again where one may be active that does not end: each look may cost a client
error."""

PLAIN_SECONDS: Final = (60, 2 * 24 * 3600)
"""How long the plainest periods last: a server may be too strict about short ones, or about long ones."""

ELSEWHERE: Final = 2
"""In how many other periods a lawful creation is tried that is refused: an earlier run, of which nobody knows any more, may
have used its own."""


@dataclass(slots=True)
class Book:
    """A reconciliation of the suite's own: what it is made of, and how far it has come."""

    batch: Batch
    values: tuple[Values, ...]
    """For each order; the period is the same in all."""
    id: int | None = None
    released: set[int] = field(default_factory=set)
    """The orders, by number, whose releases were accepted."""
    after_refusal: bool = False
    """Whether a broken release was refused before."""
    waited: bool = False
    """Whether its creation had to wait for the one before it: what was refused until then may have been refused for that."""
    doubtful: bool = False
    """Whether the answer to a broken call was lost: if it was carried out, what is refused after it is refused for that."""
    spoiled: bool = False
    """Whether something was accepted that should not have been, so that what it holds is not known."""

    @property
    def place(self) -> Place:
        """The account and channel that it is for."""
        return self.batch.place

    @property
    def is_complete(self) -> bool:
        """Whether every order's release was accepted."""
        return self.released == set(range(len(self.batch.orders)))


@dataclass(slots=True)
class Books:
    """All reconciliations of a run. At any time at most one of an account and channel is active."""

    bench: Bench
    calendar: Calendar = field(init=False)
    ids: dict[int, Book] = field(default_factory=dict)
    opened_at: set[Place] = field(default_factory=set)
    """Where one was opened in this run."""
    suspects: set[Place] = field(default_factory=set)
    """Where one may be active that can't be completed: a refusal there says nothing."""
    current: Book | None = None
    """The one that a single lawful call is about, from `make_ready` to `finish_current`."""
    endless: set[Place] = field(default_factory=set)
    """Where one did not end in all the time that was waited."""
    waited: dict[Place, float] = field(default_factory=dict)
    """Seconds that were waited for the one that is going on there."""
    looked: dict[Place, float] = field(default_factory=dict)
    """When a place was seen to be blocked, by the monotonic clock."""
    strayed: set[Place] = field(default_factory=set)
    """Where something was opened that should not have been: nobody knows which periods it has taken for good."""
    _pause: float = 0.0
    printed_codes: set[Place] = field(default_factory=set)
    """Where the order that S2 prints was sent."""
    printed_period_used: bool = False
    refused_at: set[Place] = field(default_factory=set)
    """Where a creation was refused as it should be, and none was accepted since."""
    settling: set[Place] = field(default_factory=set)
    """Where one was completed and nothing says that it is finished."""

    def __post_init__(self) -> None:
        self.calendar = self.bench.session.calendar

    @property
    def scope(self) -> Scope:
        """What strategies of reconciliations draw from: the places that are not known to be blocked."""
        self._look_at_suspects()
        free = tuple(place for place in self.bench.scope.places if place not in self.suspects)
        return replace(self.bench.scope, places=free or self.bench.scope.places)

    def _look_at_suspects(self) -> None:
        """After the scenario it may have been possible to complete what blocked them."""
        live = self.bench.session.live
        if live is not None:
            self.suspects = {place for place in self.suspects if live.is_blocked(place.channel)}

    @property
    def pause(self) -> float:
        """Seconds that the target was seen to take to reconcile, where it does not notify."""
        live = self.bench.session.live
        return max(self._pause, live.recovery.client.pause if live is not None else 0.0)

    def plain(self, place: Place, *sizes: int, seconds: int = 60) -> Batch:
        """The plainest batch on a place, with orders of so many extracts."""
        return plain_batch(self.bench.scope, place, *sizes, seconds=seconds)

    # -- opening ---------------------------------------------------------------------------------------------------

    def begin(self, batch: Batch) -> Book:
        """Values for a batch: codes that are new and a period that is free."""
        period = self._allot(batch)
        values = [self.bench.fresh(batch.shape).having(**{PERIOD: period}) for _ in batch.orders]
        codes = [one["code"] for one in values]
        neighbours = [*codes[1:], codes[0]]
        filled = [one.having(neighbour=code) for one, code in zip(values, neighbours, strict=True)]
        return Book(batch, tuple(filled))

    def another_period(self, book: Book) -> None:
        """Give the book a free period, far from its own where others may have been there before."""
        if not self.bench.session.in_process:
            self.calendar.elsewhere(book.batch.seconds)
        period = self._allot(book.batch)
        book.values = tuple(values.having(**{PERIOD: period}) for values in book.values)

    def _allot(self, batch: Batch) -> str:
        """The beginning of a free period. Raises Hindered where there is none any more."""
        try:
            return self.calendar.allot(batch.seconds)
        except UsedUp as error:
            raise Hindered(str(error)) from None

    def keeps_refused_periods(self, place: Place) -> bool:
        """Whether the period of a creation that is refused is taken from then on, found by another such period: that the
        first was taken may be an earlier run's doing, where the target remembers those."""
        if self.bench.session.in_process:
            return True
        again = self.begin(self.plain(place, 1))
        broken = {**again.batch.creation, "releasesQtd": 0}
        if not self.submit_orders(again):
            return False
        refused = self.bench.send(Call(Endpoint.CREATE_RECONCILIATION, body=broken), again.values[0])
        if refused.status // 100 == 2:
            self.free(place)
            return False
        created = self.create(again, blame=False)
        self.finish(again)
        return created.status // 100 == 4

    def create_after_refusal(self, book: Book) -> Exchange:
        """The lawful creation after refused ones of the same period.

        Raises a violation of REC-09 where only another period is accepted, Hindered where none is or that may be an earlier
        run's doing.
        """
        self.refused_at.add(book.place)
        with self.bench.keeping_faults() as faults:
            created = self.create(book, blame=False)
            if created.status // 100 != 2:
                self._check_a_refused_one_is_to_blame(book)
                faults.clear()  # they are what it has left
        if created.status // 100 == 2:
            return created
        raise Violation(
            rule="REC-09",
            expected="a period that was refused before to be free",
            actual=f"it answered {created.status}",
            exchange=created,
        )

    def _check_a_refused_one_is_to_blame(self, book: Book) -> None:
        """Raises what else there may be to blame for the refusal of a lawful creation."""
        if book.doubtful:
            self.free(book.place)
            raise TargetUnavailable("a creation was refused, perhaps for one before whose answer was lost")
        self.check_free(book.place)
        self.another_period(book)
        if self.create(book).status // 100 != 2:
            raise Hindered("REC-01: a proper reconciliation was refused")
        self.finish(book)
        if not self.keeps_refused_periods(book.place):
            raise Hindered("a period was taken, perhaps by an earlier run")

    def submit_orders(self, book: Book) -> bool:
        """Send the orders of the book; whether all were accepted. The first one's namesake comes before it: which of them a
        target finds by its code alone is then not the one that was sent first."""
        if book.batch.namesake is not None:
            call = Call(Endpoint.SUBMIT_ORDER, body=book.batch.namesake)
            self.bench.is_accepted(call, self.bench.send(call, book.values[0]))
        for order, values in zip(book.batch.orders, book.values, strict=True):
            call = Call(Endpoint.SUBMIT_ORDER, body=order)
            if not self.bench.is_accepted(call, self.bench.send(call, values)):
                return False
        self.bench.let_be_seen()
        return True

    def create(self, book: Book, *, blame: bool = True, elsewhere: bool | None = None) -> Exchange:
        """POST /reconciliation as the book says, until the one before it is finished.

        A refusal is noted against REC-01, unless not to `blame` or unless one that can't be completed may be active there.
        `elsewhere` (by default as `blame`) says whether to try another period first: an earlier run may have used this one.
        """
        with self.bench.keeping_faults() as faults:
            return self._create(book, blame=blame, elsewhere=blame if elsewhere is None else elsewhere, faults=faults)

    def _create(self, book: Book, *, blame: bool, elsewhere: bool, faults: list[Exchange]) -> Exchange:
        call = creation_of(book.batch)
        if blame:
            self.bench.check_worth((call, release_of(book.batch, 0)))
        live = self.bench.session.live
        if live is not None:  # only whose turn it is knows what those before have left
            live.hold_channels()
        if live is not None and live.channels.is_settling(
            book.place.channel
        ):  # an earlier run's, or what was cleared away
            self.settling.update(place for place in self.bench.scope.places if place.channel == book.place.channel)
        self._check_worth_a_look(book.place)
        exchange = self._send_creation(book, call)
        if exchange.status // 100 == 4 and book.place in self.settling:
            book.waited = True
            exchange = self._until_free(book, call, exchange)
            if (
                exchange.is_refused and self.bench.session.control is None
            ):  # no document says how long reconciling may take
                raise Hindered(f"account {book.place.account} was still reconciling the one before")
        tries_elsewhere = elsewhere and not self.bench.session.in_process
        for _ in range(ELSEWHERE):
            if exchange.status // 100 == 4 and tries_elsewhere and book.place not in self.suspects:
                self.another_period(book)
                exchange = self._send_creation(book, call)
        if exchange.status // 100 == 4 and tries_elsewhere and book.batch.seconds >= LONG_SECONDS:
            raise Hindered("periods of that length were refused: earlier runs have taken most of them, perhaps")
        self._settles(book.place, settling=False)
        if exchange.status // 100 == 2:
            self.bench.met(call, exchange)
            self.suspects.discard(book.place)
            if self.bench.session.control is None:  # else it was opened since the mock had to forget what does not end
                self.endless.discard(book.place)
            self.waited.pop(book.place, None)
            self.looked.pop(book.place, None)
            self.opened_at.add(book.place)
            self.refused_at.discard(book.place)
            self.take_id(book, exchange)
        elif blame:
            self.check_free(book.place)
            self._blame(book, call, exchange, faults)
        return exchange

    def check_place(self, place: Place) -> None:
        """Before creations at once: raises Hindered where what is active there is known to be in their way."""
        live = self.bench.session.live
        if live is not None:
            live.hold_channels()
        self._check_worth_a_look(place)
        self._check_not_suspect(place)

    def opened(self, book: Book, exchange: Exchange) -> None:
        """Take note of a creation that was sent at once with another and accepted. Raises a violation of REC-01 or REC-02."""
        self._settles(book.place, settling=False)
        self.opened_at.add(book.place)
        self.refused_at.discard(book.place)
        self.take_id(book, exchange)

    def _check_worth_a_look(self, place: Place) -> None:
        """Raises Hindered where one was active a moment ago that does not end."""
        self._look_at_suspects()
        since = time.monotonic() - self.looked.get(place, float("-inf"))
        if self.bench.session.control is None and since < LOOKED_AGAIN_SECONDS:
            if place in self.endless:
                raise Hindered(f"account {place.account} is still reconciling one that does not end")
            self._check_not_suspect(place)

    def _send_creation(self, book: Book, call: Call) -> Exchange:
        """Send a lawful creation. Where its answer is lost the same is sent once more: if it had been opened that is refused,
        since one is active and its period is taken; if not, this one is opened, and its id known.

        Raises Doubtful where it had been opened, after completing it as far as that can be done.
        """
        try:
            return self.bench.send(call, book.values[0])
        except Doubtful as doubt:
            try:
                if doubt.refusal is None:
                    again = self.bench.send(call, book.values[0])
                    if again.status // 100 == 2:
                        return again
            except Doubtful:
                pass  # as doubtful as before
            self.free(book.place)
            raise

    def send_broken(self, book: Book, call: Call) -> Exchange:
        """Send a broken creation or release. Where its answer is lost the same is sent once more: a refusal counts if the lawful
        call is accepted after it, which shows that the first was not carried out."""
        for _ in range(2):
            try:
                return self.bench.send(call, book.values[0])
            except Doubtful as doubt:
                book.doubtful, lost = True, doubt
                if doubt.refusal is not None:
                    return self.bench.sent(doubt.refusal)
        raise lost

    def _blame(self, book: Book, call: Call, exchange: Exchange, faults: list[Exchange]) -> None:
        """Note against whom a lawful creation was refused: one that was refused before may have been opened all the same, and
        then it is to blame for server errors too."""
        if book.place in self.refused_at and self._refused_for_another(book, call):
            actual = f"since one was refused, a proper one got {exchange.status}"
            self.bench.observe("REC-09", "a refused creation to leave nothing behind", actual, exchange)
            self.bench.hindered(f"REC-09: {actual}")
            faults.clear()
            self.free(book.place)
        else:
            self.bench.is_accepted(call, exchange)

    def _refused_for_another(self, book: Book, call: Call) -> bool:
        """Whether a creation is refused for what a refused one left: its period taken, or a reconciliation open. Not where the
        plainest one is opened and this one is not: then it is itself at fault."""
        if self._opens(book.batch):
            return True
        if any(self._opens(self.plain(book.place, 2, seconds=seconds)) for seconds in PLAIN_SECONDS):
            return False
        return book.place in self.opened_at or self._opens_when_freed(book, call)

    def _opens(self, batch: Batch) -> bool:
        """Whether a reconciliation is opened in a period of its own; it is completed, and in no counterexample's story."""
        story = list(self.bench.story)
        again = self.begin(batch)
        opened = self.submit_orders(again) and self.create(again, blame=False).is_accepted
        self.finish(again)
        self.bench.story[:] = story
        return opened

    def _opens_when_freed(self, book: Book, call: Call) -> bool:
        """Whether it is opened when the mock has forgotten what is active there."""
        if self.bench.session.control is None:
            return False
        story = list(self.bench.story)
        self.free(book.place)
        self.another_period(book)
        opened = self.bench.send(call, book.values[0]).status // 100 == 2
        self.free(book.place)
        self.bench.story[:] = story
        return opened

    def _until_free(self, book: Book, call: Call, exchange: Exchange) -> Exchange:
        """Try again, ever more seldom, while the reconciliation before may still be going on. What it took is remembered."""
        if self.bench.session.control is not None:  # its clock was moved far enough: this one never ends
            self.endless.add(book.place)
            self.bench.session.control.abandon()
            return self.bench.send(call, book.values[0])
        place, wait = book.place, max(self.pause, FIRST_PAUSE)
        waiting = self.bench.session.waiting.begin("the reconciliation before to be finished")
        while exchange.status // 100 == 4 and (waited := self.waited.get(place, 0.0)) < self._patience:
            wait = min(wait, self._patience - waited)
            waiting.on(wait)
            self.waited[place] = waited + wait
            exchange = self.bench.send(call, book.values[0])
            if exchange.status // 100 == 2:  # it ended some time in the last wait
                self._pause = max(self._pause, 1.1 * (waited + wait / 2))
            wait *= 2
        if exchange.status // 100 == 4:
            self.endless.add(place)
            self.looked[place] = time.monotonic()
        return exchange

    @property
    def _patience(self) -> float:
        return GREAT_PATIENCE_SECONDS if self.bench.session.patient else PATIENCE_SECONDS

    def _check_not_suspect(self, place: Place) -> None:
        if place in self.suspects:
            raise Hindered(f"account {place.account} has a reconciliation that could not be completed")

    def check_free(self, place: Place) -> None:
        """Raises Hindered where a refusal at this place would say nothing."""
        self._check_not_suspect(place)
        if place in self.strayed and self.bench.session.control is None:
            raise Hindered(
                f"a broken creation was accepted for account {place.account}: its period may lie over all others"
            )
        if place not in self.opened_at and self.bench.session.target.environment != "mock":
            raise Hindered(
                f"no reconciliation can be opened for account {place.account}: one that others left active blocks it, perhaps; "
                "complete it, then run again"
            )

    def take_id(self, book: Book, exchange: Exchange) -> None:
        """Note the id of a creation that was accepted. Raises a violation of REC-01 or REC-02."""
        found = exchange.json.get("id") if isinstance(exchange.json, dict) else None
        if not isinstance(found, int) or isinstance(found, bool):
            self.stray(book)
            is_text = isinstance(found, str) and found.isdecimal()
            actual = f"its id was text: write {found}" if is_text else f"its body was {exchange.text[:200]}"
            raise Violation(rule="REC-01", expected="an integer id", actual=actual, exchange=exchange)
        earlier = self.ids.setdefault(found, book)
        book.id = found
        book.values = tuple(values.having(reconciliation=str(found)) for values in book.values)
        if earlier is not book:
            self.stray(book)
            actual = f"{found} was that of an earlier one"
            raise Violation(rule="REC-02", expected="an id that no other has", actual=actual, exchange=exchange)

    # -- releasing -------------------------------------------------------------------------------------------------

    def release(self, book: Book, order: int, call: Call | None = None) -> Exchange:
        """POST /reconciliation/release for one order: the lawful one, or `call` in its place."""
        sent = call or release_of(book.batch, order)
        send = partial(self.bench.send, sent, book.values[order])
        exchange = send() if call is not None else self.bench.asked_again(send)
        if exchange.status // 100 == 2:
            book.released.add(order)
            book.spoiled = book.spoiled or call is not None
        return exchange

    def released(self, book: Book, order: int) -> bool:
        """Whether the lawful release of an order is accepted; if not, that is noted against the rule to blame for it."""
        with self.bench.keeping_faults() as faults:
            exchange = self.release(book, order)
            self.bench.met(release_of(book.batch, order), exchange)
            if exchange.status // 100 == 2:
                return True
            book.spoiled = True
            if book.doubtful:
                raise TargetUnavailable("a release was refused, perhaps for one before whose answer was lost")
            self._blame_for_release(book, exchange, faults)
        return False

    def _blame_for_release(self, book: Book, exchange: Exchange, faults: list[Exchange]) -> None:
        """Note against whom a lawful release was refused: what is left of a refused one is to blame for server errors too."""
        rule = self.why_refused(book)
        if rule == "REL-18":
            faults.clear()
        self.bench.observe(rule, "the release to be accepted", f"it answered {exchange.status}", exchange)
        self.bench.hindered(f"{rule}: a lawful release got {exchange.status}")

    # -- one lawful call -------------------------------------------------------------------------------------------

    def ready(self, call: Call) -> Values | None:
        """Values for a lawful creation or release, all that must come before it done; None where that can't be had."""
        assert call.batch is not None
        book = self.begin(call.batch)
        if not self.submit_orders(book):
            return None
        self.current = book
        if call.endpoint is Endpoint.SUBMIT_RELEASE and self.create(book).status // 100 != 2:
            return None
        return book.values[0]

    def follow(self, call: Call, exchange: Exchange, *, lawful: bool = True) -> Exchange:
        """Take note of what became of the call for which all was made ready; a broken one that was accepted spoils it."""
        if not lawful and not exchange.is_accepted:
            self.was_refused(call)
        if self.current is not None and exchange.status // 100 == 2:
            if not lawful:
                self.stray(self.current)
            elif call.endpoint is Endpoint.CREATE_RECONCILIATION:
                self.take_id(self.current, exchange)
            else:
                self.current.released.add(0)
        return exchange

    def was_refused(self, call: Call) -> None:
        """Take note that a broken copy of the call for which all was made ready was refused, before the lawful one."""
        if self.current is not None:
            self.current.after_refusal = True
            if call.endpoint is Endpoint.CREATE_RECONCILIATION:
                self.refused_at.add(self.current.place)

    def is_accepted(self, call: Call, exchange: Exchange, faults: list[Exchange]) -> bool:
        """Whether the lawful call for which all was made ready was accepted; if not, that is noted against the rule to blame
        for it: something refused before may have left a trace, and is then to blame for the kept server errors too."""
        if exchange.is_accepted or self.current is None:
            return self.bench.is_accepted_after_refusal(call, exchange, faults)
        if call.endpoint is Endpoint.CREATE_RECONCILIATION:
            self._blame(self.current, call, exchange, faults)
        else:
            self._blame_for_release(self.current, exchange, faults)
        return False

    def finish_current(self) -> None:
        """Complete what `ready` and the call opened."""
        book, self.current = self.current, None
        if book is not None:
            self.finish(book)

    # -- completing ------------------------------------------------------------------------------------------------

    def finish(self, book: Book) -> None:
        """Complete the book, so that it blocks its channel no longer; what that takes is in no counterexample's story."""
        if book.id is None or self.bench.session.client.is_blocked:
            return
        story = list(self.bench.story)
        try:
            with self.bench.keeping_faults() as faults:
                self._complete(book)
                if book.after_refusal:  # what a refused release leaves is told where the lawful one is what it is about
                    faults.clear()
        except Doubtful:  # its last release may be in, or not
            self.free(book.place)
        except TargetUnavailable:
            self.suspects.add(book.place)
            raise
        finally:
            self.bench.story[:] = story

    def _complete(self, book: Book) -> None:
        for order in range(len(book.batch.orders)):
            if order not in book.released and not book.spoiled:
                self.release(book, order)
        if book.spoiled or not book.is_complete:
            self.free(book.place)
        elif self.notified(book, arrival=0.0):
            self._settles(book.place, settling=False)
        elif book.place not in self.settling:
            self.wait(book)

    def stray(self, book: Book) -> None:
        """Something was opened that should not have been: free the place, as far as that can be done."""
        book.spoiled = True
        self.strayed.add(book.place)
        self.free(book.place)

    def free(self, place: Place) -> None:
        """Have the mock forget what is active; elsewhere complete it, or remember that a refusal at this place says nothing."""
        session = self.bench.session
        if session.control is not None:
            session.control.abandon()
            if session.live is not None:
                session.live.abandoned()
        elif session.live is None or not session.live.free(place.channel):
            self.suspects.add(place)
            self.looked[place] = time.monotonic()
        else:
            self._settles(place, settling=True)

    def wait(self, book: Book) -> bool:
        """Wait until the reconciliation is finished; whether a notification says that it is."""
        inbox, control = self.bench.session.inbox, self.bench.session.control
        if control is not None:
            for seconds in STEPS:
                control.advance(seconds)
                if self.notified(book):
                    return True
        elif inbox is not None and self._hears(inbox, book):
            return True
        self._settles(book.place, settling=True)
        self.bench.session.pause("a reconciliation to be finished", self.pause)
        # What is still to be waited for comes on top: else the pause would stay too short for ever.
        self.waited[book.place] = self.waited.get(book.place, 0.0) + self.pause
        return False

    def _hears(self, inbox: Inbox, book: Book) -> bool:
        """Whether a notification comes in all the time that is waited."""
        session, began = self.bench.session, time.monotonic()
        waiting = session.waiting.begin("the notification that a reconciliation is finished")
        while (left := began + self._patience - time.monotonic()) > 0:
            if inbox.wait_for(lambda one: is_about(one, book), waiting.allowed(min(left, HEARING_SECONDS))):
                return True
            session.sign()
        return False

    def _settles(self, place: Place, *, settling: bool) -> None:
        """Remember whether one may still be going on there, for the runs after this one too."""
        live = self.bench.session.live
        (self.settling.add if settling else self.settling.discard)(place)
        others = any(other.channel == place.channel for other in self.settling)
        if live is not None and (settling or not others) and live.channels.is_settling(place.channel) != settling:
            live.channels.settles(place.channel, settling=settling)

    def is_free(self, place: Place) -> bool:
        """Whether no reconciliation is active there, found by opening and completing one."""
        if self.bench.session.control is not None:
            self.endless.discard(place)
        try:
            self.run_through(self.plain(place, 1))
        except Hindered:
            if place not in self.endless:
                raise
        return place not in self.endless

    def notified(self, book: Book, arrival: float = ARRIVAL_SECONDS) -> Received | None:
        """The notification that the book is completed, if it has come or comes within so many seconds; in process it has come."""
        inbox = self.bench.session.inbox
        if inbox is None:
            return None
        return inbox.wait_for(lambda one: is_about(one, book), 0.0 if self.bench.session.in_process else arrival)

    # -- whole -----------------------------------------------------------------------------------------------------

    def run_through(self, batch: Batch) -> Book:
        """Open, release and complete a batch that is plainly lawful. Raises Hindered where that can't be had."""
        book = self.begin(batch)
        self.run(book)
        return book

    def run(self, book: Book) -> None:
        """The same for a book that was begun."""
        if not self.submit_orders(book):
            raise Hindered("an order for a reconciliation was refused")
        if self.create(book).status // 100 != 2:
            raise Hindered("REC-01: a proper reconciliation was refused")
        try:
            for order in range(len(book.batch.orders)):
                if not self.released(book, order):
                    raise Hindered("an exact release was refused")
        finally:
            self.finish(book)

    def why_refused(self, book: Book) -> str:
        """The rule to blame for a lawful release that was refused, found by doing it all without refused ones before.

        Where that can't be done, since the place stays blocked, what came before is all there is to go by.
        """
        rule = catalogue()["REL-01"].accepted
        likely = "REL-18" if book.after_refusal else "REL-01"
        story = list(self.bench.story)
        self.free(book.place)
        try:
            batches = [(book.batch, likely), (_alone(book.batch), "WFL-02")]
            if book.batch.namesake is not None:  # that another account's order is in the way
                batches.insert(1, (replace(book.batch, namesake=None), "REL-01"))
            for batch, blamed in batches:
                again = self.begin(batch)
                if not self.submit_orders(again) or self.create(again, blame=False).status // 100 != 2:
                    return likely
                # The order in which they came: those beside it first.
                turns = [*range(1, len(batch.orders)), 0]
                accepted = [self.release(again, order).status in rule for order in turns]
                again.spoiled = not all(accepted)
                self.finish(again)
                if all(accepted):
                    return blamed
            return "REL-01"
        finally:
            self.bench.story[:] = story


def is_about(received: Received, book: Book) -> bool:
    """Whether it is a notification that this reconciliation was completed."""
    content: Any = received.content
    payload = content.get("payload") if isinstance(content, dict) else None
    return (
        isinstance(payload, dict)
        and content.get("notificationType") == "RECONCILIATION_COMPLETED"
        and payload.get("reconciliationId") == book.id
    )


def _alone(batch: Batch) -> Batch:
    """The first order of a batch in a reconciliation of its own."""
    quantity = len(batch.orders[0]["extracts"])
    creation = {**batch.creation, "releasesQtd": quantity}
    return Batch(batch.place, batch.orders[:1], creation, batch.releases[:1], batch.seconds, batch.shape)
