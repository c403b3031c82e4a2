"""Does a client pay each order exactly once although answers are lost, cut, late or wrong? Judged by the mock's own books.

After a release whose answer did not arrive, a Koncili that sees late what it took would take the same release again: so does the
mock, until the client has looked the order up. A client that sends it again unasked so pays twice, and the books show it; one
that asks first is refused (REL-11) where the first was carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import is_whole
from conformance.mock.faults import Plan, When
from conformance.mock.quirks import Answer, Quirk
from conformance.mock.request_log import Entry
from conformance.mock.world import MockWorld, OrderKey, order_key

SUBMIT, RELEASE, QUERY, DELETE = (
    endpoint.label
    for endpoint in (Endpoint.SUBMIT_ORDER, Endpoint.SUBMIT_RELEASE, Endpoint.GET_ORDER, Endpoint.DELETE_ORDER)
)

JUDGED: Final = (SUBMIT, RELEASE)

ROUND: Final = ("lost", "half", "reset", "502-after", "delay")
"""What happens to every other call of either endpoint, in turn."""

LATE_SECONDS: Final = 3.0
"""How late an answer comes."""


def plans() -> list[Plan]:
    """The faults by which a client is judged: every other call has one, each comes again and again, and some notifications come
    twice or late."""
    period = 2 * len(ROUND)
    of_calls = [
        Plan(fault, When(call, after=2 * place + 1 - period, every=period), LATE_SECONDS)
        for call in JUDGED
        for place, fault in enumerate(ROUND)
    ]
    return [
        *of_calls,
        Plan("doubled-notification", When(every=2)),
        Plan("late-notification", When(every=3), LATE_SECONDS),
    ]


class Standing(Enum):
    """How an order stands at the end."""

    ONCE = "paid once"
    TWICE = "PAID TWICE"
    LOST = "LOST"
    OPEN = "left open"
    NOT_RELEASED = "not released"


BAD: Final = frozenset({Standing.TWICE, Standing.LOST})


@dataclass(slots=True)
class Story:
    """What a client did about an order."""

    sent: Counter[str] = field(default_factory=Counter)
    """How often, by endpoint."""
    faults: list[str] = field(default_factory=list)
    """What happened, with the numbers of the calls."""
    in_doubt: str | None = None
    """The endpoint of the change of which the client does not know what became, as long as it has not asked."""
    unasked: list[int] = field(default_factory=list)
    """The calls by which it sent again without asking."""
    asked: bool = False
    """Whether it ever asked after such a change."""
    refused: str = ""
    """Why its last release was refused."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An order, how it stands, and why."""

    key: OrderKey
    standing: Standing
    times: int
    """How often the books have it released."""
    why: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of a client."""

    orders: Sequence[Judged]
    not_met: Sequence[str]
    """The faults that it did not meet at a call."""

    @property
    def exit_code(self) -> int:
        """1 where an order was paid twice or lost, 2 where one was left open or not every fault was met, else 0."""
        if any(one.standing in BAD for one in self.orders):
            return 1
        is_whole = not self.not_met and all(one.standing is Standing.ONCE for one in self.orders)
        return 0 if self.orders and is_whole else 2


@dataclass(slots=True)
class _Refused:
    """A release that is refused, in this world, and the rules that it breaks."""

    request: Request
    world: MockWorld
    rules: set[str] = field(default_factory=set)


_SEEN_LATE: Final = frozenset({"REL-11", "REL-12"})
"""What a release breaks only because the same one was there before: the second of them where the reconciliation is full."""


class ExactlyOnce:
    """Follows a client. Its `quirk` belongs to the mock, its `take` among those whom the log tells."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._lock = Lock()
        self._stories: dict[OrderKey, Story] = {}
        self._met: set[tuple[str, str]] = set()
        self._refused: _Refused | None = None
        self.quirk = Quirk(
            name="sees-releases-late",
            statement="Takes a release again after its answer was lost, until the order is looked up: then it sees it.",
            forgives=self._notes,
            answers=self._answers,
        )

    def take(self, entry: Entry) -> None:
        """Follow a call."""
        call = f"{entry.method} {entry.path}"
        with self._lock:
            if call in JUDGED and entry.fault is not None:
                self._met.add((call, entry.fault))
            if entry.key is None:
                return
            story = self._stories.setdefault(entry.key, Story())
            if call == QUERY and entry.fault is None:
                story.asked = story.asked or story.in_doubt is not None
                story.in_doubt = None
            elif call == DELETE and entry.status == 200:  # noqa: PLR2004 - it is taken out
                del self._stories[entry.key]
            elif call in JUDGED:
                self._change(story, call, entry)

    def _change(self, story: Story, call: str, entry: Entry) -> None:
        if story.in_doubt == call:
            story.unasked.append(entry.number)
        story.sent[call] += 1
        if call == RELEASE:
            story.refused = "; ".join(f"{one.rule} {one.message}" for one in entry.refusals)
        if entry.fault is not None:
            story.faults.append(f"call {entry.number}, {call}: {entry.fault}")
            story.in_doubt = call
        else:
            story.in_doubt = None

    def _notes(self, breach: Breach, request: Request, world: MockWorld) -> bool:
        """Remember why a release is refused; nothing is forgiven here."""
        if request.endpoint is Endpoint.SUBMIT_RELEASE:
            if self._refused is None or self._refused.request is not request:
                self._refused = _Refused(request, world)
            self._refused.rules.add(breach.rule)
        return False

    def _answers(self, request: Request, answer: Answer) -> Answer:
        """Take a release again that is refused for nothing else. It stands in the books, and takes no place in its
        reconciliation."""
        refused, self._refused = self._refused, None
        if refused is None or refused.request is not request or not {"REL-11"} <= refused.rules <= _SEEN_LATE:
            return answer
        key = order_key(request.fields)
        with self._lock:
            story = self._stories.get(key) if key else None
            if key is None or story is None or story.in_doubt != RELEASE:
                return answer
        number = request.fields.get("reconciliationId")
        opened = refused.world.opened(number) if is_whole(number) else None
        if opened is None:
            return answer
        opened.orders.append(key)
        return Answer(200, {"message": "Release received"})

    def judge(self, world: MockWorld) -> Judgement:
        """What is to be said at the end, in this world."""
        books = Counter(key for one in world.all_reconciliations for key in one.orders)
        with self._lock:
            orders = [
                _judged(key, story, books[key], world) for key, story in self._stories.items() if story.sent.total()
            ]
            wanted = [(call, fault) for call in JUDGED for fault in ROUND]
            return Judgement(orders, [f"{fault} at {call}" for call, fault in wanted if (call, fault) not in self._met])


def _judged(key: OrderKey, story: Story, times: int, world: MockWorld) -> Judged:
    """How an order stands, given how often the books have it released."""
    happened = ", ".join(story.faults) or "nothing happened to its calls"
    unasked = f"; sent again without a look at call {', '.join(map(str, story.unasked))}" if story.unasked else ""
    why = happened + unasked
    if times > 1:
        return Judged(key, Standing.TWICE, times, why)
    if times == 1:
        return Judged(key, Standing.ONCE, times, why)
    if story.sent[RELEASE]:
        if story.refused:
            return Judged(key, Standing.LOST, times, f"its release is refused: {story.refused}; {why}")
        is_open = story.in_doubt is None and story.asked
        ends = "asked, and sent no more" if is_open else "its release never came to be, and nobody asked"
        return Judged(key, Standing.OPEN if is_open else Standing.LOST, times, f"{ends}; {why}")
    if story.faults and world.stored(key) is None and not story.asked:
        return Judged(key, Standing.LOST, times, f"it is not there, and nobody asked; {why}")
    return Judged(key, Standing.NOT_RELEASED, times, why)


def told(judgement: Judgement) -> list[str]:
    """The judgement in lines, not yet made harmless for a terminal."""
    counts = Counter(one.standing for one in judgement.orders)
    words = ", ".join(f"{counts[standing]} {standing.value}" for standing in Standing if counts[standing])
    worst = sorted(judgement.orders, key=lambda one: list(Standing).index(one.standing))
    rows = [
        f"{one.key[2]} ({one.key[0]}, {one.key[1]}): {one.standing.value}"
        + (f", {one.times} times" if one.standing is Standing.TWICE and one.times > 2 else "")  # noqa: PLR2004 - twice
        + f": {one.why}"
        for one in worst
        if one.standing is not Standing.ONCE
    ]
    not_met = [f"not met, so not judged: {', '.join(judgement.not_met)}; send more orders"] if judgement.not_met else []
    verdict = {0: "exactly once", 1: "NOT exactly once", 2: "undecided"}[judgement.exit_code]
    return [f"{verdict}: {words or 'no order came'}", *rows, *not_met]
