"""How often calls are sent at once: until enough tries overlapped and were answered so that one knows what became of them.

A race needs luck. What costs few client errors is tried more often, and from try to try one of the calls is released a little
later than the others: what a server looks at and what it writes lie at other moments of each call.

Where no order explains the answers, the same calls are made one after the other: only where that is answered as documented it is
a matter of calls at once, and of no other rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from conformance.concurrency.history import History
from conformance.concurrency.interleaving import lanes
from conformance.concurrency.linearizability import Unexplained
from conformance.contract.rules import Rule, Side
from conformance.engine.at_once import Attempt
from conformance.engine.bench import Bench
from conformance.engine.properties import TRIED_AGAIN
from conformance.engine.sending import SERVER_ERROR
from conformance.engine.tries_in_one import TriesInOne
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.waiting import Waiting
from conformance.errors import TargetUnavailable
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.transport import BAD_GATEWAY
from conformance.verdict.violation import Violation

REPEATED: Final = 2
"""How often more it is tried whether what was seen shows again."""

MORE_TRIES: Final = 2
"""How often calls are sent again that did not overlap, or whose answers say nothing."""

MORE_OFTEN: Final = 2
"""So many times as often as the profile says calls are sent at once that cost little."""

FREE_OFTEN: Final = 5
"""The same for those that have cost only requests: no client error, and no reconciliation, which takes a target its time."""

COSTS_LITTLE: Final = 3
"""As long as all tries have cost fewer client errors than this."""

CLIENT_ERRORS: Final = 40
"""What all calls at once of a run may cost where client errors are counted; past it nothing is tried more than once."""

FOR_REPEATING: Final = 20
"""As long as they have cost less than this, what was seen is repeated where the target is a live one."""

SHIFTED_BY: Final = 0.25
"""By this part of the time in which the soonest answer came one of the calls is released later."""

Sending = Callable[[Attempt], Waiting[None]]
"""Makes one attempt, from making ready to clearing away."""


@dataclass(frozen=True, slots=True)
class Common:
    """What the tries of a scenario share."""

    tries: TriesInOne
    closing: Sending
    """After all of them: releases what is left, and sees what became of it."""


@dataclass(slots=True)
class Tried:
    """What the tries of a scenario so far have come to."""

    number: int = 0
    told: list[Exchange | None] = field(default_factory=list)
    """Of each that says something, the first of its exchanges."""
    cost: int = 0
    """Client errors."""
    shift: float = 0.0
    """By how many seconds one of the calls is to be released later."""
    reasons: list[str] = field(default_factory=list)
    """Why the others say nothing."""
    found: tuple[Attempt, Unexplained] | None = None
    """What no order of the calls explains."""


def explained(
    bench: Bench,
    rule: Rule,
    sending: Sending,
    *,
    tries: int | None = None,
    blame: Callable[[Unexplained], str] | None = None,
    in_one: Common | None = None,
    tried: Tried | None = None,
) -> Waiting[None]:
    """Make attempts until enough of them say something: an order of the calls explains each, or there is none and the rule is
    broken, or the one that `blame` names. `tries` is how many those are; by default the profile says so. `in_one` is what is open
    for all of them where they are to share it; `tried` are those that were made before, and count."""
    common = in_one if bench.session.control is None else None
    try:
        yield from _explained(bench, rule, sending, tries, blame, common, tried or Tried())
    finally:
        if common is not None:
            common.tries.finish()


def _explained(
    bench: Bench,
    rule: Rule,
    sending: Sending,
    tries: int | None,
    blame: Callable[[Unexplained], str] | None,
    common: Common | None,
    tried: Tried,
) -> Waiting[None]:
    opened = _opened(bench)
    for exchange in tried.told:
        bench.saw(Side.CHECKED, exchange)
    if tried.told:  # by what others needed: what is opened for this alone is no more than the profile says
        tries = tries or _as_the_profile_says(bench)
    while tried.found is None and wants_more(bench, tried, tries, is_free=_opened(bench) == opened):
        told, before = len(tried.told), _opened(bench)
        yield from try_once(bench, tried, sending, shares=common is not None)
        if common is None and _opened(bench) > before:  # each try takes a live target its time
            tries = tries or _as_the_profile_says(bench)
        for exchange in tried.told[told:]:
            bench.saw(Side.CHECKED, exchange)
    if tried.found is not None:
        broken = blame(tried.found[1]) if blame is not None else rule.id
        one_by_one = yield from _check_at_once_only(bench, sending, tried.found[0])
        raise (yield from _violation(bench, broken, sending, *tried.found, one_by_one))
    if common is not None and common.tries.reconciliation is not None:
        attempt = Attempt(bench)
        found = yield from _made(attempt, common.closing)
        if found is not None:
            one_by_one = yield from _check_at_once_only(bench, sending, attempt)
            raise (yield from _violation(bench, rule.id, sending, attempt, found, one_by_one))
    if not tried.told:
        raise Hindered(tried.reasons[-1])


def try_once(bench: Bench, tried: Tried, sending: Sending, *, shares: bool = False) -> Waiting[None]:
    """Make another attempt, and take note of what came of it."""
    attempt = Attempt(bench, offsets=_offsets(tried.number, tried.shift), shares=shares)
    openings = bench.openings_at_once
    before, for_others = bench.client_errors_at_once, openings.client_errors
    found = yield from _made(attempt, sending)
    tried.number += 1
    tried.cost += bench.client_errors_at_once - before - (openings.client_errors - for_others)
    if found is not None:
        tried.found = attempt, found
    elif reason := attempt.says_nothing:
        tried.reasons.append(reason)
    else:
        tried.told.append(next(iter(attempt.exchanges.values()), None))
        tried.shift = SHIFTED_BY * _soonest_answer(attempt.operations)


def wants_more(bench: Bench, tried: Tried, tries: int | None = None, *, is_free: bool = False) -> bool:
    """Whether the running scenario is to make another attempt. `is_free` is whether those so far have opened nothing."""
    least = tries or (1 if bench.session.control is not None else bench.session.profile.tries_at_once)
    wanted = _wanted(bench, least, tried.cost, is_free=is_free and not tried.cost) if tries is None else least
    return _goes_on(bench, tried.number, len(tried.told), wanted)


def _as_the_profile_says(bench: Bench) -> int | None:
    """How many tries, where each opens a reconciliation; None in the suite's own mock, where one is enough."""
    return bench.session.profile.tries_at_once if bench.session.control is None else None


def most_tries(bench: Bench) -> int:
    """How many tries there are at most of what costs client errors or opens a reconciliation."""
    return MORE_OFTEN * bench.session.profile.tries_at_once + MORE_TRIES


def _opened(bench: Bench) -> int:
    """How many reconciliations the run has opened."""
    return len(bench.reconciliations.all_ids) if "reconciliations" in vars(bench) else 0


def _wanted(bench: Bench, least: int, cost: int, *, is_free: bool) -> int:
    """How many attempts are to say something, after those so far have cost so many client errors, or only requests."""
    if bench.session.control is not None or cost >= COSTS_LITTLE:
        return least
    return (FREE_OFTEN if is_free else MORE_OFTEN) * least


def _goes_on(bench: Bench, number: int, told: int, wanted: int) -> bool:
    """Whether to try another time, until so many attempts as are wanted have said something."""
    comes_again = any(scenario == bench.scenario for scenario, _ in bench.server_errors_at_once)
    if comes_again and number <= TRIED_AGAIN:
        return True
    if told and not bench.may_spend_at_once(CLIENT_ERRORS):
        return False
    return told < wanted and number < wanted + MORE_TRIES


def _offsets(number: int, shift: float) -> tuple[float, ...]:
    """After how many seconds each call is released: every other time all together, between that the one or the other later. The
    first one comes first, by a little, where they are released together: so it is the first that comes later first."""
    if not number % 2 or not shift:
        return ()
    return (shift, 0.0, 2 * shift) if number % 4 == 1 else (0.0, shift, 2 * shift)


def _soonest_answer(history: History) -> float:
    """In how many seconds the soonest answer came."""
    return min((one.answered - one.sent for one in history if one.answered > one.sent), default=0.0)


def _made(attempt: Attempt, sending: Sending) -> Waiting[Unexplained | None]:
    bench = attempt.bench
    scenario, before = bench.session.evidence.scenarios[bench.scenario], bench.session.journal.spent()
    counted = bench.client_errors_at_once
    bench.story.clear()
    try:
        yield from sending(attempt)
    except TargetUnavailable:
        attempt.undecided = True
        raise
    finally:  # also where nothing else can be said of it
        # Those of an attempt within this one, too: once.
        bench.client_errors_at_once = counted + (bench.session.journal.spent() - before).client_errors
        if not attempt.one_by_one and attempt.was_sent:
            scenario.tries += 1
            scenario.overlapped += attempt.overlapped
            scenario.undecided += attempt.undecided
            _note_server_errors(bench, attempt)
    return attempt.unexplained()


def _check_at_once_only(bench: Bench, sending: Sending, wrong: Attempt) -> Waiting[str]:
    """What came of the same calls one after the other, in words: as they are listed, and in the sequence in which they were
    answered at once, where that is another. Raises Hindered where they are answered wrongly then, too: that is another rule's
    business. Where they can't be tried so, what was seen of them at once stands."""
    ways = [Attempt(bench, one_by_one=True)]
    if any(list(turn) != sorted(turn) for turn in wrong.turns):
        ways.append(Attempt(bench, one_by_one=True, follows=tuple(wrong.turns)))
    for attempt in ways:
        bench.one_by_one = True
        try:
            found = yield from _made(attempt, sending)
        except (Hindered, NotSeenYet, TargetUnavailable) as reason:
            return (
                f"one after the other they could not be tried: {str(reason) or 'what they do may still be to be seen'}"
            )
        finally:
            bench.one_by_one = False
        if found is not None:
            raise Hindered(f"one after the other they are answered wrongly, too: {found.sentence}")
    return "never where they come one after the other"


def _violation(
    bench: Bench, rule: str, sending: Sending, attempt: Attempt, found: Unexplained, one_by_one: str
) -> Waiting[Violation]:
    shown, tried = 1, 1
    for _ in range(REPEATED):
        if not bench.session.shrinks and not bench.may_spend_at_once(FOR_REPEATING):
            break
        again = Attempt(bench, offsets=attempt.offsets)
        try:
            wrong = yield from _made(again, sending)
        except (Hindered, NotSeenYet, TargetUnavailable):
            break
        tried += 1
        shown += wrong is not None
    violation = Violation(
        rule=rule,
        expected="the answers to calls at once to be those of some order of the calls",
        actual=found.sentence,
        exchange=attempt.exchange_of(found.fails_at),
        context=f"{found.nearest_words}; seen in {shown} of {tried} tries, and {one_by_one}",
    )
    violation.story = attempt.story
    violation.lanes = tuple(lanes(found.history))
    return violation


def _note_server_errors(bench: Bench, attempt: Attempt) -> None:
    """Note against ERR-02 a server error that calls at once meet in every try: once it may be a passing fault. A 502 says that
    something on the way failed, and is never the target's own."""
    met = {
        (bench.scenario, attempt.operations[number].label): exchange
        for number, exchange in attempt.exchanges.items()
        if exchange.status >= SERVER_ERROR and exchange.status != BAD_GATEWAY
    }
    seen = bench.server_errors_at_once
    for key in list(seen):
        if key not in met:
            del seen[key]
    for key, exchange in met.items():
        seen[key] += 1
        if seen[key] > TRIED_AGAIN:
            actual = f"calls at once were answered {exchange.status}, in {seen[key]} tries of {seen[key]}"
            bench.observe("ERR-02", "no server error", actual, exchange)
