"""What a lenient server opened by a broken creation is completed by what it took it for; what can't be is told by later runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.contract.judge import Request
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Quirk
from conformance.run.recovery import ATTEMPTS_AT_MOST, CLEANUPS_AT_MOST
from conformance.run.recovery_search import SHORT_PATIENCE_SECONDS
from conformance.target.shared.lenient import read_anyhow
from conformance.target.waiting import LATE_SECONDS
from tests.suite.support.bodies import CODE, creation
from tests.suite.support.live_runs import Killed, one_run
from tests.suite.support.stage.etiquette import active

CREATE = "/reconciliation"


def lenient(name: str, written: Any, taken: Any) -> tuple[Quirk, dict[str, Any]]:
    """A server that takes what is written in a field of a creation for something else, and such a creation."""

    def reads(request: Request) -> Request:
        body = request.fields if request.path == CREATE else None
        if not isinstance(body, dict) or body.get(name) != written:
            return request
        return replace(request, body=dumps({**body, name: taken}).encode())

    return Quirk(name="lenient", statement="takes what is malformed", reads=reads), {name: written}


def tells(spell: Callable[[int], Any]) -> Quirk:
    """A server that writes ids in its own way, and wants them so."""

    def answers(request: Request, answer: Answer) -> Answer:
        if request.path == CREATE and answer.status == 201 and isinstance(answer.body, dict):
            return answer.having(body={"id": spell(answer.body["id"])})
        return answer

    def reads(request: Request) -> Request:
        body = loads(request.body) if request.path.endswith("/release") else None
        if not isinstance(body, dict):
            return request
        number = body["reconciliationId"]
        known = int(number) if isinstance(number, str) else None
        return replace(request, body=dumps({**body, "reconciliationId": known}).encode())

    return Quirk(name="spelled", statement="writes ids as text", answers=answers, reads=reads)


@pytest.mark.parametrize(
    ("quirk", "broken"),
    [
        lenient("releasesQtd", "3", 3),
        lenient("releasesQtd", Decimal("2.5"), 3),
        lenient("releasesQtd", [4], 4),
        lenient("periodEndDate", "2025-02-30", "2025-03-02T00:00:00Z"),
        lenient("periodEndDate", "2025-02-30", "2025-02-28T23:59:59Z"),
        lenient("periodEndDate", "yesterday", "2099-01-01T00:00:00Z"),
        lenient("periodInitDate", None, "2001-01-01T00:00:00Z"),
        lenient("channelName", None, "CHANNEL_NAME"),
        lenient("accountId", {}, 19055),
        (tells(str), {}),
    ],
)  # fmt: skip
def test_it_is_completed(quirk: Quirk, broken: dict[str, Any], tmp_path: Path) -> None:
    koncili = Koncili(quirks=[quirk])
    with one_run(koncili, tmp_path / "store.sqlite") as dead, one_run(koncili, tmp_path / "store.sqlite") as cleanup:
        dead.create(**broken)
        dead.die()
        cleanup.live.recovery.thorough = True
        cleanup.live.rescue_all()
        koncili.clock.advance(60)
        assert active(dict(koncili.state())) == []
        assert cleanup.live.recovery.report.undone == []
        assert cleanup.live.dead_runs == []


def test_what_can_not_be_is_told_by_every_later_run(tmp_path: Path) -> None:
    """With its id and what was tried; runs soon only tell of it, until one can be opened there again."""
    koncili = Koncili()
    with one_run(koncili, tmp_path / "store.sqlite") as dead:
        number = dead.create(releasesQtd=100_000)
        dead.die()
        for attempt in range(6):
            with one_run(koncili, tmp_path / "store.sqlite") as later:
                later.live.rescue_all()
                assert [line.split(" may still")[0] for line in later.live.recovery.report.undone] == [
                    f"reconciliation {number} of account 19055 on CHANNEL_NAME"
                ]
                assert later.live.dead_runs == [dead.live.run.id]
                assert bool(later.way.sent) is (attempt < ATTEMPTS_AT_MOST)
        koncili.control({"abandonReconciliations": True})
        with one_run(koncili, tmp_path / "store.sqlite") as last:
            assert last.create(periodInitDate="2024-03-01T00:00:00Z", periodEndDate="2024-03-02T00:00:00Z") > number
            last.live.abandoned()
            last.live.finish()
            assert last.live.dead_runs == []


def test_nothing_is_looked_up_where_nothing_can_be(tmp_path: Path) -> None:
    koncili = Koncili()
    with one_run(koncili, tmp_path / "store.sqlite") as dead, one_run(koncili, tmp_path / "store.sqlite") as later:
        for where in ({"accountId": 999}, {"channelName": "NO_SUCH"}, {"accountId": 20001}, {"accountId": 20002}):
            dead.upset(Endpoint.CREATE_RECONCILIATION, "killed after")
            with pytest.raises(Killed):
                dead.create(**where)
        dead.die()
        later.live.rescue_all()
        assert (later.way.sent, later.live.dead_runs) == ([], [])


@dataclass
class TakesNoReleases:
    """As long as it is like that."""

    faulty: bool = True

    def __call__(self, request: Request) -> Request:
        body = loads(request.body) if self.faulty and request.path.endswith("/release") else None
        return (
            replace(request, body=dumps({**body, "reconciliationId": 10**9}).encode())
            if isinstance(body, dict)
            else request
        )


@pytest.mark.parametrize("known", [True, False], ids=["of known id", "whose answer was lost"])
def test_cleanup_too_tries_often_enough_and_then_looks_alone(known: bool, tmp_path: Path) -> None:
    """Whether another can be opened there, which spends no more than a client error."""
    reads = TakesNoReleases()
    koncili = Koncili(quirks=[Quirk(name="none", statement="takes no releases", reads=reads)])
    with one_run(koncili, tmp_path / "store.sqlite") as dead:
        for day in (1, 3):  # so that ids are known, and none need be learned elsewhere
            dead.create(periodInitDate=f"2022-03-0{day}T00:00:00Z", periodEndDate=f"2022-03-0{day + 1}T00:00:00Z")
            koncili.control({"abandonReconciliations": True})
            dead.live.abandoned()
        dead.upset(Endpoint.CREATE_RECONCILIATION, *([] if known else ["killed after"]))
        with nullcontext() if known else pytest.raises(Killed):
            dead.create()
        dead.die()
        spent = []
        for _ in range(CLEANUPS_AT_MOST + 3):
            with one_run(koncili, tmp_path / "store.sqlite") as cleanup:
                cleanup.live.recovery.thorough = True
                cleanup.live.rescue_all()
                (told,) = cleanup.live.recovery.report.undone
                spent.append(cleanup.client.journal.spent().client_errors)
        assert max(spent[CLEANUPS_AT_MOST:]) <= 1, spent
        assert spent[CLEANUPS_AT_MOST - 1] > 1, spent
        assert "may still be active" in told
        assert "ask Koncili to close it, then run cleanup again" in told
        with one_run(koncili, tmp_path / "store.sqlite") as run:
            run.live.rescue_all()
            assert run.way.sent == []
        reads.faulty = False
        koncili.control({"abandonReconciliations": True})
        with one_run(koncili, tmp_path / "store.sqlite") as last:
            last.live.recovery.thorough = True
            last.live.rescue_all()
            assert last.live.dead_runs == []


def test_what_refuses_each_release_is_not_waited_for_as_if_it_had_them_all(tmp_path: Path) -> None:
    """Whoever is asked for a certification waits for it: after the first rule that such a target breaks, and at the end again."""
    quirk = Quirk(name="none", statement="takes no releases", reads=TakesNoReleases())
    koncili = Koncili(quirks=[quirk])
    with one_run(koncili, tmp_path / "store.sqlite") as run:
        run.create()
        before = koncili.clock.now()
        assert not run.live.free("CHANNEL_NAME")
        until_seen = sum(LATE_SECONDS)  # its order may be seen late: that is waited for in any case
        assert (koncili.clock.now() - before).total_seconds() - until_seen < 2 * SHORT_PATIENCE_SECONDS


def test_what_is_reconciled_slowly_is_waited_for_where_a_release_got_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been taken; then the rest is refused until the reconciliation is finished."""
    monkeypatch.setattr("conformance.mock.koncili.RECONCILES_IN", timedelta(seconds=60))
    koncili = Koncili()
    with one_run(koncili, tmp_path / "store.sqlite") as run:
        number = run.create()
        run.submit(CODE)
        run.upset(Endpoint.SUBMIT_RELEASE, "killed after")
        with pytest.raises(Killed):
            run.release(CODE, number)
        assert run.live.free("CHANNEL_NAME")


def text_after(content: bytes) -> bytes:
    return content + b" x"


def comment_in(content: bytes) -> bytes:
    return b"{/* by us */" + content[1:]


def zero_before(content: bytes) -> bytes:
    return content.replace(b'"releasesQtd": ', b'"releasesQtd": 0')


def no_number(content: bytes) -> bytes:
    return content.replace(b'"totalNetValue": 0.01', b'"totalNetValue": NaN')


@pytest.mark.parametrize("change", [text_after, comment_in, zero_before, no_number])
def test_what_is_opened_by_nearly_json_is_completed(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """On its own account, with a date in its period."""

    def reads(request: Request) -> Request:
        return replace(request, body=dumps(read_anyhow(request.body)).encode() if request.body else request.body)

    koncili = Koncili(quirks=[Quirk(name="lenient", statement="reads what is nearly JSON", reads=reads)])
    with one_run(koncili, tmp_path / "store.sqlite") as run:
        body = dumps(creation(accountId=19056, totalNetValue=Decimal("0.01"))).encode()
        assert change(body) != body
        created = run.client.call(Endpoint.CREATE_RECONCILIATION, body=change(body))
        assert created.status == 201, created.text
        assert run.live.free("CHANNEL_NAME")
        assert active(dict(koncili.state())) == []
