"""Runs a law as a Hypothesis property: with a seed of its own, in two passes, and tried again where an answer is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final, Generic, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, Unsatisfiable
from platformdirs import user_cache_path

from conformance.compat.hypothesis import draw_no_constants, know_utf8, without_key
from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.frugal import Frugal, size_of
from conformance.engine.hindrances import Blocked, Hindrances
from conformance.engine.trial import Trial
from conformance.engine.unfinished import Hindered, HinderedForNow, NotSeenYet
from conformance.engine.waiting import Deferred, Waiting
from conformance.errors import CannotRun, NotTried, TargetUnavailable, WaitTooLong
from conformance.target.shared.ledger import fields_of, order_id
from conformance.verdict.evidence import hindering_rule
from conformance.verdict.violation import Violation
from strategies.scope import Place

T = TypeVar("T")
Law = Callable[[T], Waiting[None] | None]
"""What is to hold of every example; a generator where time must pass in between."""

# Hypothesis keeps tables of characters: not in the directory in which somebody happens to certify.
set_hypothesis_home_dir(user_cache_path("koncili-conformance") / "hypothesis")

draw_no_constants()

TRIED_AGAIN: Final = 2
"""How often an example is tried anew that got no answer, or a server error that did not come again: something may have failed in
passing, on the way or in the server."""

A_LONG_TRY: Final = 20
"""Requests: after so many in one try an answer may well be lost again in the next, and two more are made."""

LEFT_OUT_AT_MOST: Final = 100
"""So many examples in a row are left out since they hold what a target refuses each time: most likely there are no others."""

MORE_EXAMPLES: Final = 2
"""So many more are tried where all examples of a law met what breaks another rule: others may hold nothing of that."""

SHRINKING_EXAMPLES = 200
"""How many examples the second pass may look at for the smallest failure."""


def once(bench: Bench, law: Callable[[], Waiting[None] | None]) -> None:
    """Run a law that has no examples."""
    prove(bench, bench.scenario, st.none(), lambda _: law(), 1)


def prove(
    bench: Bench,
    name: str,
    strategy: st.SearchStrategy[T],
    law: Law[T],
    examples: int,
    *,
    spares: bool = True,
    is_tried: bool = True,
    otherwise: st.SearchStrategy[T] | None = None,
) -> None:
    """Run a law on so many examples; raises what the law raises, shrunk where the target allows. At the end of a run it
    only goes on with what was put off. Where no example decides it the scenario's evidence says so.

    The first pass leaves out Hypothesis's simplest example, with which every run would begin: of a few examples it is
    the one that shows least, and refusals are counted. Only when the law is broken does a second pass look for the
    smallest failure, from the simplest on. Examples that hold what a target refuses each time are left out, unless the law is
    itself about that (`spares` is False). Raises NotTried where there is no other. Where the examples are only drawn, to be
    tried elsewhere, the law is not tried here (`is_tried` is False). The smallest failure, and what is tried where the first
    examples hold what breaks another rule, come from `otherwise` where it is given.
    """
    if bench.session.resuming:
        _go_on_with_all(bench)
        return
    if is_tried:
        bench.session.evidence.scenarios[bench.scenario].open_laws[name_within(bench, name)] = ""
    seed = int.from_bytes(sha256(f"{bench.session.seed} {name}".encode()).digest()[:8])
    wider = strategy if otherwise is None else otherwise
    if spares and bench.hindrances is not None and not (_is_about_acceptance(bench) or bench.tells_of_refusals):
        strategy, wider, law = _sparing(bench, bench.hindrances, strategy, wider, law)
    before = bench.session.journal.spent()
    try:
        _first_pass(bench, law, name, strategy, seed, examples)
        for again in range(1, 1 + MORE_EXAMPLES):
            if is_tried and _is_hindered(bench, name):
                _first_pass(bench, law, name, wider, seed + again, 1)
    except Violation as violation:
        found = violation
        bench.session.deferred.discard(bench.scenario)
    else:
        return
    if _is_told(bench, found):
        raise found
    if bench.session.shrinks:
        _run(bench, law, name, wider, seed, SHRINKING_EXAMPLES, [Phase.generate, Phase.shrink])
    elif (frugal := Frugal(bench, before)).is_worth_it:
        found = _shrunk_for_nothing(bench, law, name, wider, seed, found, frugal)
    raise found  # not shrunk, or found once and not again: the first sight of it is all there is


def _is_told(bench: Bench, found: Violation) -> bool:
    """Whether what was found is of another rule than the running scenario's and was found before: one counterexample is enough,
    and a field that every order shows otherwise is met by dozens of scenarios, in each of which it would be made small."""
    evidence = bench.session.evidence
    if found.rule == evidence.scenarios[bench.scenario].rule:
        return False
    findings = (scenario.finding for scenario in evidence.scenarios.values())
    return found.rule in evidence.observed or any(one is not None and one.rule == found.rule for one in findings)


def name_within(bench: Bench, name: str) -> str:
    """The name of a law within its scenario."""
    return name.removeprefix(bench.scenario).strip()


def _note_what_came(bench: Bench, name: str) -> None:
    """Take note of what came of an example: whether the law is decided by it, or why it is not."""
    open_laws, law = bench.session.evidence.scenarios[bench.scenario].open_laws, name_within(bench, name)
    if bench.trial.decides:
        open_laws.pop(law, None)
    elif law in open_laws and bench.trial.hindrance:
        open_laws[law] = bench.trial.hindrance


def _is_hindered(bench: Bench, name: str) -> bool:
    """Whether a law is undecided for nothing but what breaks another rule, or is over by now."""
    why = bench.session.evidence.scenarios[bench.scenario].open_laws.get(name_within(bench, name), "")
    may_be_otherwise = bool(hindering_rule(why)) or (bool(why) and bench.trial.is_over)
    return may_be_otherwise and not bench.deferred[bench.scenario, name]


def _shrunk_for_nothing(
    bench: Bench, law: Law[T], name: str, strategy: st.SearchStrategy[T], seed: int, first: Violation, frugal: Frugal
) -> Violation:
    """The smallest failure of the same rule that is found on a live endpoint while that spends no client error. Whatever comes in
    between, the first one stays found."""
    found, key = [first], (bench.scenario, name)
    put_off = len(bench.deferred[key])
    try:
        _run(
            bench, law, name, strategy, seed, SHRINKING_EXAMPLES, [Phase.generate, Phase.shrink], found=found,
            is_over=frugal.is_over,
        )  # fmt: skip
    except (Violation, TargetUnavailable, CannotRun):
        pass  # what keeps the run from going on it meets again with the next call
    except BaseException:
        bench.session.evidence.observe(first, bench.session.redactor)
        raise
    finally:
        del bench.deferred[key][put_off:]
        bench.session.deferred.discard(bench.scenario)
    return min((one for one in found if one.rule == first.rule), key=size_of)


def _is_about_acceptance(bench: Bench) -> bool:
    """Whether the running scenario's rule says that orders are accepted: what is refused each time is what it is about."""
    rule = catalogue()[bench.session.evidence.scenarios[bench.scenario].rule]
    return Endpoint.SUBMIT_ORDER in rule.endpoints and Side.REFUSED not in rule.sides_under(bench.session.readings)


def _sparing(
    bench: Bench, hindrances: Hindrances, strategy: st.SearchStrategy[T], wider: st.SearchStrategy[T], law: Law[T]
) -> tuple[st.SearchStrategy[T], st.SearchStrategy[T], Law[T]]:
    """Draw no example of what is refused each time, and send none that has come to be so since."""
    sieve = _Sieve(hindrances.blocked())

    def spared(example: T) -> Waiting[None] | None:
        if sieve.is_vain:
            raise NotTried(hindrances.words(sieve.blocked.traits))
        bench.check_worth(example)
        return law(example)

    if not sieve.blocked.traits:
        return strategy, wider, spared
    return strategy.filter(sieve.lets_through), wider.filter(sieve.lets_through), spared


@dataclass(slots=True)
class _Sieve:
    """Leaves out what is not to be sent. Where hardly anything else is drawn it gives up: Hypothesis would draw for minutes."""

    blocked: Blocked
    left_out: int = 0
    """How many in a row."""

    @property
    def is_vain(self) -> bool:
        return self.left_out >= LEFT_OUT_AT_MOST

    def lets_through(self, example: object) -> bool:
        if self.is_vain:
            return True
        if not self.blocked.against(example):
            self.left_out = 0
            return True
        self.left_out += 1
        return self.is_vain


def _first_pass(bench: Bench, law: Law[T], name: str, strategy: st.SearchStrategy[T], seed: int, examples: int) -> None:
    """Run the law on examples as drawn, the simplest left out; on those kept from an earlier run where there are such."""
    kept, key = bench.session.drawn, (name, seed, examples, bench.circumstances)
    if kept is not None and key in kept:
        for example in kept[key]:
            _example(bench, name, law, example)
        return
    drawn: list[T] = []

    def noted(example: T) -> Waiting[None] | None:
        drawn.append(example)
        return law(example) if len(drawn) > 1 else None

    _run(bench, noted, name, strategy, seed, examples + 1, [Phase.generate])
    if len(drawn) == 1:  # there is no example but the simplest
        drawn *= 2
        _run(bench, law, name, strategy, seed, 1, [Phase.generate])
    if kept is not None:
        kept[key] = drawn[1:]


def quietly(examples: int, phases: list[Phase], steps: int = 1) -> settings:
    """Settings for so many examples (a state machine's of so many steps), with nothing kept, printed or timed."""
    return settings(
        max_examples=examples,
        phases=phases,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        stateful_step_count=steps,
    )


@contextmanager
def first_sight(found: Sequence[Violation]) -> Iterator[None]:
    """Raises the first of the violations found where Hypothesis, which tries again what it found, does not see it again: an
    endpoint that has changed in between may answer otherwise."""
    try:
        yield
    except Flaky:
        if not found:
            raise
        raise found[0] from None


class _Unprinted(Generic[T]):
    """An example that Hypothesis does not print where it shows something: nobody reads it, and it may have a hundred entries."""

    __slots__ = ("example",)

    def __init__(self, example: T) -> None:
        self.example = example

    def __repr__(self) -> str:  # Hypothesis would print a dataclass's fields
        return "an example"


def _run(
    bench: Bench,
    law: Law[T],
    name: str,
    strategy: st.SearchStrategy[T],
    seed: int,
    examples: int,
    phases: list[Phase],
    found: list[Violation] | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    found = [] if found is None else found
    stopped: list[TargetUnavailable | CannotRun] = []

    def test(drawn: _Unprinted[T]) -> None:
        if stopped or is_over():
            return
        try:
            _example(bench, name, law, drawn.example)
        except Violation as violation:
            found.append(violation)
            raise
        except (TargetUnavailable, CannotRun) as reason:  # Hypothesis would send it all again
            stopped.append(reason)

    know_utf8()  # not while pytest still loads conftests: Hypothesis warns of what touches its directory then
    with first_sight(found):
        try:
            hypothesis.seed(seed)(
                quietly(examples, phases)(without_key(hypothesis.given(strategy.map(_Unprinted))(test)))
            )()
        except Unsatisfiable:
            if bench.hindrances is None or not (blocked := bench.hindrances.blocked().traits):
                raise
            raise NotTried(bench.hindrances.words(blocked)) from None
    if stopped:
        raise stopped[0]


def _example(bench: Bench, name: str, law: Law[T], example: T) -> None:
    def carry_out() -> None:
        _begin(bench, name, partial(law, example))

    _until_nothing_passes(bench, name, carry_out, carry_out)


def _begin(bench: Bench, name: str, anew: Callable[[], Waiting[None] | None], more_tries: int = TRIED_AGAIN) -> None:
    """Run an example of a law from its beginning. The rest of it is put off where time must pass."""
    bench.story.clear()
    bench.trial = Trial()

    def carry_out() -> None:
        rest = anew()
        if rest is not None and (deferred := bench.begun(rest)) is not None:
            deferred.anew, deferred.more_tries = anew, more_tries
            bench.put_off(name, deferred)

    _watched(bench, carry_out)


def _until_nothing_passes(
    bench: Bench, name: str, step: Callable[[], None], anew: Callable[[], None], more_tries: int = TRIED_AGAIN
) -> None:
    """Take a step of an example, and where it met what passes try the example anew, so often at most."""
    put_off = bench.deferred[bench.scenario, name]
    before = len(put_off)
    bench.passing.begin_example()
    is_long = False
    try:
        tried = 0
        while tried < max(more_tries, bench.passing.tries_wanted(1 + more_tries, tried) - 1):
            tried += 1
            del put_off[before:]  # what met something is not gone on with
            bench.passing.begin_try()
            late = bench.late
            try:
                _fall_out_of_step(bench, tried - 1)
                step()
            except WaitTooLong:
                raise
            except TargetUnavailable:  # with new codes the next time, and hardly as unlucky
                step = anew
                if len(bench.story) >= A_LONG_TRY and not is_long:
                    is_long, more_tries = True, more_tries + TRIED_AGAIN
                continue
            except Violation as violation:
                new = violation.shown_otherwise - bench.shown_otherwise
                # Here, where it is told: what is tried ahead keeps nothing that went wrong.
                bench.shown_otherwise |= new
                if new and not bench.compares_whole:
                    # What else an order shows can tell of this rule.
                    bench.observe(
                        violation.rule, violation.expected, violation.actual, violation.exchange, violation.context
                    )
                    step = anew
                    continue
                if bench.late == late:
                    raise
            # What was refused before the order was to be seen may have been refused for that.
            if bench.late == late and not bench.passing.leaves_doubt:
                return
            step = anew
        del put_off[before:]
        bench.passing.begin_try()
        _fall_out_of_step(bench, tried)
        step()
    finally:
        _note_what_came(bench, name)
        for fault in bench.passing.met_in(1 + TRIED_AGAIN):
            actual = f"it answered {fault.status}, each time with another code, and not when the same was sent again"
            rule, expected = bench.passing.breach(fault)
            bench.observe(rule, expected, actual, fault)


def _fall_out_of_step(bench: Bench, tries: int) -> None:
    """Ask for an order of the last try once more than before it: what happens to every so many-th request would else meet the
    same call of an example in each of its tries."""
    gone = any(one.endpoint is Endpoint.DELETE_ORDER for one in bench.story)
    sent = [one for one in bench.story if one.endpoint is Endpoint.SUBMIT_ORDER and one.is_accepted and not gone]
    if tries and sent and (order := order_id(fields_of(sent[-1].request_body))) is not None:
        for _ in range(tries):
            bench.query(Place(order.account, order.channel), order.code)


def _go_on_with_all(bench: Bench) -> None:
    """Run what was put off of the scenario to its end, all examples of a law in turn: what one waits for passes for the others
    too. Of all its laws: what was tried ahead of its turn may bear another name than what the scenario tries by itself."""
    try:
        for scenario, name in [key for key in bench.deferred if key[0] == bench.scenario]:
            while left := bench.deferred.pop((scenario, name), []):
                for deferred in left:
                    _let_time_pass(bench, name, deferred)
    finally:
        bench.session.deferred.discard(bench.scenario)


def _let_time_pass(bench: Bench, name: str, deferred: Deferred) -> None:
    """Go on with an example until it lets time pass once more. Where it meets what passes it is tried anew."""

    def go_on() -> None:
        if bench.go_on(deferred):
            bench.put_off(name, deferred)

    def carry_on() -> None:
        bench.trial = deferred.trial
        _watched(bench, go_on)

    def again() -> None:
        assert deferred.anew is not None  # it has tries
        deferred.more_tries -= 1
        _begin(bench, name, deferred.anew, deferred.more_tries)

    _until_nothing_passes(bench, name, carry_on, again, deferred.more_tries)


def _watched(bench: Bench, example: Callable[[], None]) -> None:
    """Run one example; what it could not show is counted, what it shows broken gets its story."""
    try:
        example()
    except NotSeenYet as error:
        _keep_hidden(bench, error)
        bench.session.evidence.scenarios[bench.scenario].pending += 1
    except Hindered as reason:
        _keep_hidden(bench, reason)
        bench.hindered(str(reason))
        bench.trial.is_over = isinstance(reason, HinderedForNow)
    except Violation as violation:
        violation.story = violation.story or tuple(bench.story)
        raise
    except (TargetUnavailable, CannotRun) as error:
        _keep_hidden(bench, error)
        raise


def _keep_hidden(bench: Bench, error: BaseException) -> None:
    """Note the violation that an error hides, because it came up while that was cleared away."""
    hidden = error.__context__
    while hidden is not None and not isinstance(hidden, Violation):
        hidden = hidden.__context__
    if hidden is not None:
        hidden.story = hidden.story or tuple(bench.story)
        bench.session.evidence.observe(hidden, bench.session.redactor)
