"""A law that none of its examples decides leaves its scenario undecided, whatever the scenario's other laws show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import resolve
from conformance.contract.rules import Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.properties import prove
from conformance.engine.unfinished import Hindered
from conformance.engine.waiting import Waiting
from conformance.run.session import Options, open_session
from conformance.verdict.evidence import Outcome
from conformance.verdict.verdicts import judge_rule
from strategies.calls import Call

SCENARIO, RULE = "laws", "QRY-01"


@pytest.fixture
def bench() -> Iterator[Bench]:
    with closing(open_session(Options())) as session:
        session.evidence.expect(SCENARIO, RULE, "a scenario")
        yield Bench(session, SCENARIO)


def _verdict(bench: Bench) -> tuple[str, str, tuple[str, ...]]:
    bench.session.evidence.finish(SCENARIO, Outcome.PASSED)
    result = judge_rule(catalogue()[RULE], bench.session.evidence, resolve({}))
    return result.verdict, result.reason, result.hindered_by


def _prove(bench: Bench, name: str, law: Callable[[int], Waiting[None] | None], examples: int = 1) -> None:
    prove(bench, f"{SCENARIO}{name}", st.integers(), law, examples)


def _shows(bench: Bench) -> Callable[[int], None]:
    return lambda _: bench.saw(Side.ACCEPTED)


def test_what_another_law_shows_does_not_decide_it(bench: Bench) -> None:
    def hindered(_: int) -> None:
        raise Hindered("account 1 was still reconciling the one before")

    _prove(bench, " first", _shows(bench))
    _prove(bench, " second", hindered)
    why = "a scenario: not all of it was decided (second); account 1 was still reconciling the one before"
    assert _verdict(bench) == ("inconclusive", why, ())


def test_the_rule_that_stood_in_its_way_is_named(bench: Bench) -> None:
    def hindered(_: int) -> None:
        bench.saw(Side.ACCEPTED)  # and could not see the rest
        bench.hindered("ORD-01: a lawful call got 400")

    _prove(bench, "", hindered)
    assert _verdict(bench)[::2] == ("inconclusive", ("ORD-01",))


def test_a_law_that_ends_without_a_word_is_undecided(bench: Bench) -> None:
    _prove(bench, "", _shows(bench))
    _prove(bench, " second", lambda _: None)
    assert _verdict(bench)[:2] == ("inconclusive", "a scenario: not all of it was decided (second)")


def test_another_example_decides_it(bench: Bench) -> None:
    tried = list[int]()

    def now_and_then(example: int) -> None:
        tried.append(example)
        if len(tried) == 1:
            raise Hindered("a period was taken, perhaps by an earlier run")
        bench.saw(Side.ACCEPTED)

    _prove(bench, "", now_and_then, 3)
    assert _verdict(bench)[0] == "pass"


def test_what_has_nothing_to_show_says_so(bench: Bench) -> None:
    _prove(bench, "", _shows(bench))
    _prove(bench, " second", lambda _: bench.shows_nothing_more())
    assert _verdict(bench)[0] == "pass"


def test_what_was_put_off_is_decided_at_the_end_of_the_run(bench: Bench) -> None:
    bench.session.control = None

    def shows_later(_: int) -> Waiting[None]:
        yield
        bench.saw(Side.ACCEPTED)

    _prove(bench, "", _shows(bench))
    _prove(bench, " later", shows_later)
    assert _verdict(bench)[0] == "inconclusive"
    bench.session.resuming = True
    _prove(bench, " later", shows_later)
    assert _verdict(bench)[0] == "pass"


def test_what_was_put_off_goes_on_whatever_was_seen_since(bench: Bench) -> None:
    """A refusal that another scenario had seen since ended it: it was never run, and the run ended with exit code 3."""
    asked = Call(Endpoint.GET_ORDER, query={"marketplaceCode": "0", "channelName": "NOWHERE", "accountId": "1"})
    bench.well_refused[Endpoint.GET_ORDER] = refused = bench.send(asked, {})
    assert bench.known_refusal(Endpoint.GET_ORDER) is refused
    bench.session.resuming = True
    assert bench.known_refusal(Endpoint.GET_ORDER) is None
