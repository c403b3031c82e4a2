"""The ledger: what is written down before a request, and what becomes of it with the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.target.shared.ledger import Ledger, OrderId
from conformance.target.shared.store_sqlite import SQLiteStore
from tests.suite.support.bodies import CODE, creation, order, release
from tests.suite.support.properties import HOME

ORDER = OrderId(HOME.account, HOME.channel, CODE)
QUERY = {"marketplaceCode": CODE, "channelName": HOME.channel, "accountId": str(HOME.account)}
OPENED = dumps({"id": 237}).encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(tmp_path / "store.sqlite")) as store:
        yield store


@pytest.fixture
def ledger(store: SQLiteStore) -> Ledger:
    return Ledger(store, "me")


def answer(ledger: Ledger, endpoint: Endpoint, status: int | None, body: Any = None, content: bytes = b"") -> None:
    """A request and its answer; None: there was none."""
    query = QUERY if endpoint is Endpoint.DELETE_ORDER else {}
    note = ledger.sending(endpoint, query, b"" if body is None else dumps(body).encode())
    if status is not None:
        ledger.answered(note, status, content)


def kept(store: SQLiteStore) -> Ledger:
    """The ledger as another process reads it."""
    return Ledger.of(store, "me")


@pytest.mark.parametrize(
    ("status", "there"), [(None, True), (200, True), (201, True), (400, False), (404, False), (500, True), (302, True)]
)
def test_an_order_is_there_unless_it_was_refused(
    ledger: Ledger, store: SQLiteStore, status: int | None, *, there: bool
) -> None:
    answer(ledger, Endpoint.SUBMIT_ORDER, status, order())
    assert kept(store).left.orders == ledger.left.orders == [ORDER] * there


def test_a_refused_change_leaves_the_order_there(ledger: Ledger, store: SQLiteStore) -> None:
    answer(ledger, Endpoint.SUBMIT_ORDER, 200, order())
    answer(ledger, Endpoint.SUBMIT_ORDER, 400, order(status="NONSENSE"))
    assert kept(store).left.orders == [ORDER]


@pytest.mark.parametrize(("status", "there"), [(None, True), (200, False), (404, True), (500, True)])
def test_an_order_is_gone_when_its_deletion_was_accepted(
    ledger: Ledger, store: SQLiteStore, status: int | None, *, there: bool
) -> None:
    answer(ledger, Endpoint.SUBMIT_ORDER, 200, order())
    answer(ledger, Endpoint.DELETE_ORDER, status)
    assert kept(store).left.orders == [ORDER] * there


@pytest.mark.parametrize("deletion_first", [True, False])
def test_an_order_that_was_deleted_and_updated_at_once_may_be_there(
    ledger: Ledger, store: SQLiteStore, *, deletion_first: bool
) -> None:
    """Nobody knows which of the two came first; a deletion after both takes it away."""
    answer(ledger, Endpoint.SUBMIT_ORDER, 200, order())
    body = dumps(order()).encode()
    calls = [(Endpoint.DELETE_ORDER, QUERY, b""), (Endpoint.SUBMIT_ORDER, {}, body)]
    notes = [ledger.sending(*call, at_once=True) for call in (calls if deletion_first else reversed(calls))]
    for note in notes:
        ledger.answered(note, 200, b"")
    assert kept(store).left.orders == ledger.left.orders == [ORDER]
    answer(ledger, Endpoint.DELETE_ORDER, 200)
    assert kept(store).left.orders == ledger.left.orders == []


@pytest.mark.parametrize("code", ['a "quoted" / code', "São Paulo", "line\nbreak", "\ud800", "%_*?[", ""])
def test_odd_codes_are_read_back_as_they_were(ledger: Ledger, store: SQLiteStore, code: str) -> None:
    answer(ledger, Endpoint.SUBMIT_ORDER, 200, order(code))
    assert kept(store).left.orders == [OrderId(HOME.account, HOME.channel, code)]
    assert Ledger.runs(store) == ["me"]


@pytest.mark.parametrize(
    "body",
    [{}, [], "text", None, {"marketplaceCode": CODE}, {**order(), "accountId": {}}, {**order(), "channelName": 5}],
)
def test_what_names_no_order_is_not_written_down(ledger: Ledger, store: SQLiteStore, body: Any) -> None:
    answer(ledger, Endpoint.SUBMIT_ORDER, 200, body)
    assert not any(kept(store).left)


@pytest.mark.parametrize(
    ("status", "content", "ids"),
    [
        (None, b"", [None]), (201, OPENED, [237]), (200, OPENED, [237]), (400, b"", []), (500, b"", [None]),
        (201, b"<html>", [None]), (201, b'{"id": true}', [None]), (201, b'{"id": null}', [None]),
        (201, b'{"id": "237"}', ["237"]), (201, b'{"id": 237.0}', [237]), (201, b'{"data": {"reconciliationId": 9}}', [9]),
    ],
)  # fmt: skip
def test_a_reconciliation_may_be_active_unless_it_was_refused(
    ledger: Ledger, store: SQLiteStore, status: int | None, content: bytes, ids: list[int | None]
) -> None:
    answer(ledger, Endpoint.CREATE_RECONCILIATION, status, creation(), content)
    assert [opened.id for opened in kept(store).left.opened] == ids
    assert Ledger.blocking(store) == ["me"] * len(ids)


def test_a_refusal_after_a_lost_answer_closes_nothing(ledger: Ledger, store: SQLiteStore) -> None:
    """It may have been opened the first time, and be refused for that now."""
    answer(ledger, Endpoint.CREATE_RECONCILIATION, None, creation())
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 400, creation())
    assert [opened.id for opened in kept(store).left.opened] == [None]
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, creation(), OPENED)
    assert [(opened.id, opened.doubled) for opened in kept(store).left.opened] == [(None, True), (237, False)]


REFUSALS: Final[tuple[tuple[int, bytes, dict[str, Any], bool], ...]] = (
    (400, b"", {}, True),
    (409, b"", {}, True),
    (400, b"", {"accountId": str(HOME.account)}, True),
    (429, b"", {}, False),
    (403, b'{"response": "NO_TOKEN"}', {}, False),
    (400, b'{"errorCode": "400-2"}', {}, False),  # nothing can be opened there
    (400, b"", {"releasesQtd": 0}, False),
    (400, b"", {"periodEndDate": "2001-01-01T00:00:00Z"}, False),
    (400, b"", {"channelName": ["a list"]}, False),
    (400, b"", {"channelName": {}}, False),
    (400, b"", {"channelName": None}, False),
)


@pytest.mark.parametrize(("status", "content", "changes", "is_suspect"), REFUSALS)
def test_a_lawful_creation_that_was_refused_is_remembered_until_one_is_opened(
    ledger: Ledger, status: int, content: bytes, changes: dict[str, Any], *, is_suspect: bool
) -> None:
    """It may have been delivered twice, the second time in vain."""
    for _ in range(2):
        answer(ledger, Endpoint.CREATE_RECONCILIATION, status, creation(**changes), content)
        assert len(ledger.take_refused(HOME.account, HOME.channel)) == is_suspect
        assert ledger.take_refused(HOME.account, HOME.channel) == []
    answer(ledger, Endpoint.CREATE_RECONCILIATION, status, creation(**changes), content)
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, creation(), OPENED)
    assert ledger.take_refused(HOME.account, HOME.channel) == []


@pytest.mark.parametrize(
    ("second", "third", "left"),
    [
        (236, None, [236]),  # no id is left for the first
        (237, None, [None, 237]),
        (237, 240, [None, 237, 240]),  # one id is left, which is worth a try
        (300, None, [None, 300]),
        (300, 301, [300, 301]),  # anything may be between, and another was opened there
    ],
)
def test_a_creation_that_is_sent_again_and_accepted_may_have_been_opened_twice(
    second: int, third: int | None, left: list[int | None], ledger: Ledger, store: SQLiteStore
) -> None:
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, creation(), b'{"id": 235}')
    ledger.closed(ledger.left.opened[0])
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 500, creation())
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, creation(), dumps({"id": second}).encode())
    if third is not None:
        later = creation(periodInitDate="2025-03-01T00:00:00Z", periodEndDate="2025-03-02T00:00:00Z")
        answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, later, dumps({"id": third}).encode())
    assert [opened.id for opened in kept(store).left.opened] == left


@pytest.mark.parametrize(
    ("statuses", "received"),
    [([200], 3), ([400], 0), ([None], 0), ([500], 0), ([200, 400], 3), ([400, 200], 3), ([None, 200], 3)],
)
def test_releases_are_counted_when_they_are_accepted(
    ledger: Ledger, store: SQLiteStore, statuses: list[int | None], received: int
) -> None:
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, creation(releasesQtd=9), OPENED)
    for status in statuses:
        answer(ledger, Endpoint.SUBMIT_RELEASE, status, release())
    (opened,) = kept(store).left.opened
    assert opened.received == received
    assert opened.in_doubt == (0 if statuses[-1] in {200, 400} else 3)


def test_a_reconciliation_that_has_all_its_releases_is_closed(ledger: Ledger, store: SQLiteStore) -> None:
    answer(ledger, Endpoint.SUBMIT_ORDER, 200, order())
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, creation(), OPENED)
    answer(ledger, Endpoint.SUBMIT_RELEASE, 200, release())
    assert kept(store).left == ([], [ORDER], [])
    ledger.forget_reconciled()
    assert Ledger.runs(store) == []


def test_what_was_never_sent_left_nothing(ledger: Ledger, store: SQLiteStore) -> None:
    for endpoint, body in ((Endpoint.SUBMIT_ORDER, order()), (Endpoint.CREATE_RECONCILIATION, creation())):
        ledger.never_sent(ledger.sending(endpoint, {}, dumps(body).encode()))
    assert not any(kept(store).left)


def test_the_last_id_is_known_to_all(ledger: Ledger, store: SQLiteStore) -> None:
    assert Ledger(store, "other").last_id is None
    answer(ledger, Endpoint.CREATE_RECONCILIATION, 201, creation(), OPENED)
    assert Ledger(store, "other").last_id == 237


def test_ids_of_another_target_of_the_integrator_say_nothing(store: SQLiteStore) -> None:
    """The mock begins at 237, and a sandbox is at 50,000: a lost creation was looked for beside the mock's ids."""
    mine, others = (Ledger(store, "me", base_url) for base_url in ("https://sandbox.example", "http://127.0.0.1:8765"))
    answer(mine, Endpoint.CREATE_RECONCILIATION, 201, creation(), OPENED)
    answer(others, Endpoint.CREATE_RECONCILIATION, 201, creation(), dumps({"id": 50_000}).encode())
    assert (mine.last_ids, others.last_ids) == ([237], [50_000])
    assert Ledger.of(store, "you", "https://sandbox.example").last_id == 237


def test_ledgers_of_runs_are_apart(ledger: Ledger, store: SQLiteStore) -> None:
    answer(ledger, Endpoint.SUBMIT_ORDER, 200, order())
    other = Ledger(store, "mee")
    answer(other, Endpoint.CREATE_RECONCILIATION, None, creation())
    assert not kept(store).left.opened
    assert not Ledger.of(store, "mee").left.orders
    assert (Ledger.runs(store), Ledger.blocking(store)) == (["me", "mee"], ["mee"])


def test_a_ledger_that_is_read_back_goes_on_numbering(ledger: Ledger, store: SQLiteStore) -> None:
    answer(ledger, Endpoint.CREATE_RECONCILIATION, None, creation())
    answer(kept(store), Endpoint.CREATE_RECONCILIATION, None, creation(periodInitDate="2024-02-15T12:00:00Z"))
    assert len(kept(store).left.opened) == 2
