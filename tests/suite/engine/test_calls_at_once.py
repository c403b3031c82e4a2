"""What a certification says of calls at once: evidence where they overlapped, lanes where no order explains them, and nothing
where they are answered wrongly one after the other, too."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, Final, cast

import pytest

from conformance.concurrency.history import Operation, Outcome
from conformance.concurrency.interleaving import MOST_SHOWN
from conformance.concurrency.linearizability import Unexplained, explain
from conformance.concurrency.model import (
    ABSENT,
    Call,
    Delete,
    Koncili,
    Look,
    Open,
    Query,
    Refresh,
    Release,
    Submit,
    World,
)
from conformance.contract.endpoints import Endpoint
from conformance.engine.at_once import HERE, Asking, Attempt
from conformance.engine.bench import Bench
from conformance.engine.lanes import blamed
from conformance.engine.openings_at_once import PERIODS
from conformance.engine.tries import CLIENT_ERRORS, FREE_OFTEN, MORE_OFTEN, MORE_TRIES, Tried, try_once
from conformance.engine.tries_in_one import asking_release, note_released, release_alone
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.errors import Doubtful
from conformance.mock.defects import defect
from conformance.profiles import PROFILES
from conformance.run.session import Options, Session, open_session
from conformance.target.wire.at_once import Sent
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call as BenchCall
from strategies.lanes import (
    MOST_CALLS,
    MOST_IN_A_LANE,
    MOST_LANES,
    ORDERS,
    ORDERS_BEFORE,
    RECONCILIATIONS,
    RECONCILIATIONS_BEFORE,
    VERSIONS,
    Lanes,
    lanes,
)
from strategies.scope import Place
from tests.suite.support.command_runs import certify
from tests.suite.support.properties import mock_scope, prove, sample
from tests.suite.support.stage.mock import mock, target_file

SCENARIOS_THAT_COST_NOTHING: Final = 3
"""Of CON-04: different versions of an order that is new, or there, and an update beside a query."""

SCENARIOS_THAT_OPEN_ONE_EACH: Final = 2
"""Of CON-03: releases that fit, and of which one fits."""

SCENARIOS_OF_CON_02: Final = 2

CREATED: Final = 201

RULES: Final = ("CON-01", "CON-02", "CON-03", "CON-04", "CON-05")
CHOSEN: Final = [part for rule in RULES for part in ("--rule", rule)]


def test_each_rule_tells_that_its_calls_overlapped(tmp_path: Path) -> None:
    run = certify(tmp_path, *CHOSEN)
    for rule in RULES:
        entry = run.entry(rule)
        assert entry["verdict"] == "pass"
        assert entry["atOnce"]["overlapped"] == entry["atOnce"]["tries"] > 0
        assert entry["atOnce"]["undecided"] == 0
    assert sum(run.entry(rule)["clientErrors"] for rule in RULES) <= CLIENT_ERRORS == 40


def test_a_live_target_s_orders_are_sent_at_once_more_often_than_what_costs_client_errors(tmp_path: Path) -> None:
    """A race of two updates was missed in two runs of seven where each was tried four times."""
    with mock(tmp_path) as staged:
        file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{tmp_path / 's.sqlite'}")
        run = certify(tmp_path / "reports", "--target", str(file), "--rule", "CON-04", "--rule", "CON-05")
    each = FREE_OFTEN * PROFILES["certification"].tries_at_once
    assert (
        run.entry("CON-04")["atOnce"]["tries"]
        >= SCENARIOS_THAT_COST_NOTHING * each
        > run.entry("CON-05")["atOnce"]["tries"]
    )


def test_tries_share_a_reconciliation_and_where_each_opens_one_there_are_fewer(tmp_path: Path) -> None:
    """No client error is spent, but each must be completed, which takes most targets their time."""
    with mock(tmp_path, variant="reconciles-at-once") as staged:
        file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{tmp_path / 's.sqlite'}")
        run = certify(tmp_path / "reports", "--target", str(file), "--rule", "CON-02", "--rule", "CON-03")
    said_something = run.entry("CON-03")["atOnce"]["overlapped"] - run.entry("CON-03")["atOnce"]["undecided"]
    tries = MORE_OFTEN * PROFILES["certification"].tries_at_once
    assert said_something <= SCENARIOS_THAT_OPEN_ONE_EACH * tries
    # CON-03 has one for the releases that fit, one for each try of what fits once, and another to see that each of these ended.
    about = [entry["comment"] for entry in creations(tmp_path / "reports") if entry["response"]["status"] == CREATED]
    assert sum(one.startswith("CON-02") for one in about) == SCENARIOS_OF_CON_02
    assert sum(one.startswith("CON-03") for one in about) <= 2 + tries + MORE_TRIES + 1


def test_what_is_opened_at_once_serves_releases_at_once_too(tmp_path: Path) -> None:
    """Each opened reconciliations of its own."""
    opened, releasing = [], ("--rule", "CON-02", "--rule", "CON-03")
    for number, more in enumerate(((), ("--rule", "CON-01"))):
        run = certify(tmp_path / str(number), *releasing, *more)
        accepted = [one for one in creations(tmp_path / str(number)) if one["response"]["status"] == CREATED]
        opened.append(len(accepted))
    assert opened[0] == opened[1]
    entry = run.entry("CON-01")
    assert entry["verdict"] == "pass"
    assert entry["checked"] == entry["atOnce"]["overlapped"] == entry["atOnce"]["tries"] == len(PERIODS)
    assert entry["requests"] > 0


@pytest.mark.parametrize("name", ["race-rec-all", "race-rec-last-wins"])
def test_two_that_are_opened_where_releases_wanted_one_are_told_where_that_is_the_rule(
    name: str, tmp_path: Path
) -> None:
    """And who wanted one has another."""
    run = certify(tmp_path, "--defect", name, "--keep-going", "--rule", "CON-01", "--rule", "CON-02")
    assert run.by_rule["CON-01"] == "fail"
    assert run.by_rule["CON-02"] == "pass"
    reason = run.entry("CON-01")["reason"]
    assert "seen in 3 of 3 tries, and never where they come one after the other" in reason


def test_a_try_within_another_costs_that_one_nothing_and_is_counted_once() -> None:
    """Else what wanted one open was tried less often, and others were left out for client errors that were never spent."""
    with closing(open_session(Options())) as session:
        bench = Bench(session, "releases", opening_at_once={"the same period": "creations"})
        for scenario, rule in (("releases", "CON-02"), ("creations", "CON-01")):
            session.evidence.expect(scenario, rule, scenario)
        tried, place = Tried(), bench.reconciliations.scope.places[0]

        def opened(_: Attempt) -> Waiting[None]:
            yield from ()
            reconciliations = bench.reconciliations
            reconciliations.finish(bench.openings_at_once.open_for(reconciliations.plain(place, 1)))

        assert list(try_once(bench, tried, opened)) == []
        assert tried.cost == 0
        assert bench.client_errors_at_once == bench.openings_at_once.client_errors == 1


def creations(reports: Path) -> list[dict[str, Any]]:
    entries = json.loads((reports / "traffic.har").read_text(encoding="utf-8"))["log"]["entries"]
    return [entry for entry in entries if entry["request"]["url"].endswith("/reconciliation")]


def test_of_tries_that_share_one_the_last_release_shows_that_another_was_counted_twice(tmp_path: Path) -> None:
    with mock(tmp_path, defect="race-rel-refused-but-counted", variant="reconciles-at-once") as staged:
        file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{tmp_path / 's.sqlite'}")
        run = certify(tmp_path / "reports", "--target", str(file), "--rule", "CON-02")
    entry = run.entry("CON-02")
    assert entry["verdict"] == "fail"
    assert "can't be answered so: nothing speaks against it" in entry["reason"]
    assert "never where they come one after the other" in entry["reason"]


@pytest.mark.parametrize(("name", "rule"), [("race-rec-all", "CON-01"), ("race-refresh-twice", "CON-05")])
def test_a_race_is_shown_lane_by_lane(name: str, rule: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name, "--rule", rule)
    entry = run.entry(rule)
    assert entry["verdict"] == "fail"
    assert "no order of these calls explains the answers" in entry["reason"]
    assert "seen in 3 of 3 tries, and never where they come one after the other" in entry["reason"]
    lanes = entry["counterexample"]["lanes"]
    assert [line[:6] for line in lanes[1:]] == ["lane 1", "lane 2"]
    assert all(line.strip() in run.output for line in lanes[1:])
    assert lanes[1] in (tmp_path / "summary.md").read_text()
    assert "Calls at once, lane by lane" in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    "name", ["rec-06-not-enforced", "rel-11-not-enforced", "rel-12-not-enforced", "del-01-not-deleted"]
)
def test_what_is_wrong_one_after_the_other_is_another_rule_s_business(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name, *CHOSEN)
    assert {rule: run.by_rule[rule] for rule in RULES if run.by_rule[rule] == "fail"} == {}


@pytest.mark.parametrize("name", ["at-once-all-refused", "at-once-429", "at-once-lost", "at-once-on-a-socket"])
def test_what_is_lawful_at_once_passes(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--variant", name, *CHOSEN)
    assert {run.by_rule[rule] for rule in RULES} == {"pass"}


@pytest.mark.parametrize("name", ["race-rel-equal", "race-rel-twice-counted-once", "race-del-update-undone"])
def test_a_race_is_blamed_on_its_own_rule_by_every_scenario(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name, "--keep-going", *CHOSEN)
    assert {rule for rule in RULES if run.by_rule[rule] == "fail"} == defect(name).rules


@pytest.mark.parametrize("name", ["at-once-503", "at-once-lost"])
def test_tries_of_which_nobody_knows_the_end_are_told_and_are_no_evidence(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--variant", name, *CHOSEN)
    for rule in RULES:
        entry = run.entry(rule)
        assert entry["verdict"] == "pass"
        assert 0 < entry["checked"] <= entry["atOnce"]["tries"] - entry["atOnce"]["undecided"]
    assert sum(run.entry(rule)["atOnce"]["undecided"] for rule in RULES) > 0


def test_a_server_error_of_each_try_is_no_passing_one_and_hides_no_race(tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", "race-rec-all", "--defect", "race-503", "--keep-going", *CHOSEN)
    assert run.by_rule["ERR-02"] == "fail"
    assert run.by_rule["CON-01"] in {"inconclusive", "fail"}
    assert "in 3 tries of 3" in run.entry("ERR-02")["reason"]


LANES = {"orders": (ORDERS, ORDERS_BEFORE), "reconciliations": (RECONCILIATIONS, RECONCILIATIONS_BEFORE)}


@pytest.mark.parametrize("name", LANES)
def test_lanes_can_be_read(name: str) -> None:
    def law(drawn: Lanes) -> None:
        assert 2 <= len(drawn.lanes) <= MOST_LANES
        assert all(1 <= len(calls) <= MOST_IN_A_LANE for calls in drawn.lanes)
        assert sum(map(len, drawn.lanes)) <= MOST_CALLS
        assert [what for calls in drawn.rounds for _, what in calls if calls] != []
        assert sorted(what for calls in drawn.rounds for _, what in calls) == sorted(sum(drawn.lanes, ()))
        # What was sent before and what is seen afterwards comes on top, of one order.
        assert MOST_CALLS + 2 <= MOST_SHOWN
        assert len({repr((one["status"], one["extracts"])) for one in drawn.bodies}) == VERSIONS

    prove(lanes(mock_scope({}), *LANES[name]), law, 50)


@pytest.mark.parametrize("name", LANES)
def test_any_two_calls_come_at_once(name: str) -> None:
    of, before = LANES[name]
    pairs: set[frozenset[str]] = set()
    for drawn in sample(lanes(mock_scope({}), of, before), 300):
        for calls in drawn.rounds:
            pairs |= {frozenset({one, other}) for (_, one), (_, other) in combinations(calls, 2)}
    assert pairs == {frozenset({one, other}) for one in of for other in of}


def test_lanes_find_what_no_other_scenario_of_their_rule_does(tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", "race-ord-gone-between", "--rule", "CON-05", "--profile", "deep", "--seed", "0")
    assert run.by_rule["CON-04"] == "fail"
    shown = run.entry("CON-04")["counterexample"]["lanes"]
    assert [words in line for words, line in zip((" before", "send v", "ask for"), shown[1:], strict=True)] == [
        True
    ] * 3


BLAMED: dict[str, tuple[list[Call], str]] = {
    "two open": ([Open("a", 0, 1, 1), Open("b", 0, 1, 1)], "CON-01"),
    "one order twice": ([Release("a", "A", 1), Release("a", "A", 1)], "CON-02"),
    "two orders": ([Release("a", "A", 1), Release("a", "B", 1)], "CON-03"),
    "versions": ([Submit("A", "v1"), Submit("A", "v2"), Look("A")], "CON-04"),
    "a deletion": ([Submit("A", "v1"), Delete("A"), Look("A")], "CON-05"),
    "refreshes": ([Refresh("a"), Refresh("a")], "CON-05"),
    "an update, asked for": ([Submit("A", "v1"), Query("A")], "CON-04"),
    "a deletion, asked for": ([Delete("A"), Query("A")], "CON-05"),
    "a deletion, released": ([Delete("A"), Release("a", "A", 1)], "CON-05"),
    "a deletion of another": ([Delete("B"), Submit("A", "v1"), Look("A")], "CON-04"),
}


@pytest.mark.parametrize("name", BLAMED)
def test_the_rule_is_that_of_the_call_that_cannot_be_explained(name: str) -> None:
    calls, rule = BLAMED[name]
    history = tuple(Operation(0, call, "", 0, 1, Outcome.ACCEPTED) for call in calls)
    assert blamed(Unexplained(history, history[:-1], history[-1], "")) == rule


class Queries:
    """As much of a bench as looking needs: each query shows what nobody sent so."""

    def __init__(self) -> None:
        self.story: list[Exchange] = []
        self.puts_off = False
        self.slow = False
        self.clock = 0.0
        self.asked = 0

    def query(self, *_: object) -> Exchange:
        self.asked += 1
        return Exchange(datetime.now(UTC), "GET", "http://127.0.0.1/order", {}, b"", 200, {}, b"{}", 0.0)

    def submit(self, *_: object) -> Exchange:
        return Exchange(datetime.now(UTC), "POST", "http://127.0.0.1/order", {}, b"", 400, {}, b"{}", 0.0)

    def fresh(self, _: str) -> Values:
        return Values(cast(Session, None), {"code": "B"})

    def problems(self, *_: object) -> list[str]:
        return ["it differs"]

    def let_pass(self, *_: object) -> None:
        """No time passes."""

    def let_be_shown(self, _: float) -> None:
        """Nothing is shown late."""


def look_in_vain(bench: Queries, *operations: Operation) -> Attempt:
    """An attempt that has looked, on a target whose clock can't be moved."""
    attempt = Attempt(cast(Bench, bench), initial=World().having("A", "v1"), operations=list(operations))
    looking = attempt.look(Place(1, "CHANNEL"), Values(cast(Session, None), {"code": "A"}), {"v1": {}, "v2": {}})
    assert list(looking) == []  # it is not put off
    return attempt


def test_what_nobody_sent_is_waited_for_no_longer_than_a_moment() -> None:
    bench = Queries()
    sent = Operation(0, Submit("A", "v2"), "send v2", 0, 1, Outcome.ACCEPTED, touches=HERE)
    found = look_in_vain(bench, sent).unexplained()
    assert found is not None
    assert "what nobody sent so" in found.sentence
    assert bench.asked == 2


def test_what_can_t_be_explained_already_is_not_put_off_for_what_is_stored() -> None:
    bench = Queries()
    sent = Operation(0, Submit("A", "v2"), "send v2", 0, 1, Outcome.ACCEPTED, touches=HERE)
    asked = Operation(1, Query("A"), "ask", 0, 1, Outcome.ACCEPTED, shown=ABSENT, touches=HERE)
    found = look_in_vain(bench, sent, asked).unexplained()
    assert found is not None
    assert found.fails_at is asked
    assert bench.asked == 0


def answer(status: int, body: bytes) -> Exchange:
    return Exchange(datetime.now(UTC), "POST", "http://127.0.0.1/reconciliation", {}, b"", status, {}, body, 0.0)


class Dying:
    """As much of a bench as sending at once needs: of the first call a token died, before the second one was sent."""

    def __init__(self) -> None:
        self.again = 0

    def send_at_once(self, *_: object) -> list[Sent]:
        first, second = answer(403, b'{"response": "NO_TOKEN"}'), answer(201, b'{"id": 237}')
        return [Sent(0.0, 0.1, first), Sent(0.2, 0.3, second)]

    def send(self, *_: object) -> Exchange:
        self.again += 1
        return answer(400, b"{}")


def test_what_met_a_token_that_died_is_sent_again_and_shows_nothing() -> None:
    """Nothing was in its way, so that CON-01 was blamed for it."""
    bench = Dying()
    attempt = Attempt(cast(Bench, bench))
    values = Values(cast(Session, None), {})
    attempt.at_once(
        *(
            Asking(BenchCall(Endpoint.CREATE_RECONCILIATION), values, Open(name, 0, 10, 3), name)
            for name in ("one", "two")
        )
    )
    assert bench.again == 1
    assert not attempt.overlapped
    assert [one.outcome for one in attempt.operations] == [Outcome.REFUSED, Outcome.ACCEPTED]
    assert explain(attempt.operations, Koncili(), World()) is None


def release_of_a(outcome: Outcome) -> Operation:
    return Operation(0, Release("it", "A", 1), "release A", 0.0, 1.0, outcome)


@pytest.mark.parametrize(
    ("outcomes", "sent"),
    [((Outcome.UNKNOWN, Outcome.REFUSED), 1), ((Outcome.UNKNOWN, Outcome.ACCEPTED), 1), ((Outcome.REFUSED,) * 2, 2)],
    ids=["may be in", "is in", "is not in"],
)
def test_a_release_that_may_be_in_is_not_sent_again_as_if_it_were_not(outcomes: tuple[Outcome, ...], sent: int) -> None:
    """It was refused since it was in, and where its place stayed blocked WFL-02 was blamed for that."""
    with closing(open_session(Options())) as session:
        bench = Bench(session)
        reconciliations = bench.reconciliations
        one = reconciliations.open_for(reconciliations.plain(bench.scope.places[0], 1, 1))
        attempt = Attempt(bench, operations=[release_of_a(outcome) for outcome in outcomes])
        note_released(attempt, one)
        before = session.journal.traffic.requests
        reconciliations.release_all(one)
        assert session.journal.traffic.requests - before == sent
        in_doubt = {0} if outcomes == (Outcome.UNKNOWN, Outcome.REFUSED) else set[int]()
        assert (one.released, one.lost) == ({0, 1} - in_doubt, in_doubt)


def test_a_release_by_itself_whose_answer_is_lost_may_be_in() -> None:
    with closing(open_session(Options())) as session:
        bench = Bench(session)
        reconciliations = bench.reconciliations
        one = reconciliations.open_for(reconciliations.plain(bench.scope.places[0], 1, 1))

        def lose(*_: object, **__: object) -> Exchange:
            raise Doubtful("no answer")

        bench.send = lose  # type: ignore[method-assign]  # for this test's own bench
        with pytest.raises(Doubtful):
            release_alone(Attempt(bench), one, asking_release(one, 1))
        assert (one.released, one.lost) == (set(), {1})
