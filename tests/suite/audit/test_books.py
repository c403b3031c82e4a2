"""Books tie out to the cent, or name the orders and entries where they do not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest

from conformance.audit.books import COLUMNS, Books, as_csv
from conformance.audit.books_page import books_page
from conformance.audit.outcome import certify_recording
from conformance.audit.secrets import Secrets
from conformance.contract.jsontext import dumps
from tests.suite.support.bodies import END, LATER, creation, entries, order, release
from tests.suite.support.recorded_calls import BEGAN, CODE, QUERY, Recording

DONE = {"accountId": 19055, "reconciliationId": 237, "resolvedEndDate": END, "situation": "CONCILIED"}


def books_of(recording: Recording) -> Books:
    return recording.audited().books


def sums(books: Books) -> dict[str, Decimal]:
    """The sum of each column over all rows."""
    rows = list(csv.DictReader(io.StringIO(as_csv(books))))
    amounts = COLUMNS[7:16]
    return {name: sum((Decimal(row[name]) for row in rows), Decimal(0)) for name in amounts}


def day(began: datetime = BEGAN) -> Recording:
    """One order updated and released, one deleted, one open."""
    recording = Recording(now=began)
    recording.submit(order(extracts=entries(("SALE", "200.00"), ("COMISSION", "-24.44"), ("SHIP", "-27.95"))))
    recording.submit(order())
    recording.submit(order("DELETED-1", extracts=entries(("SALE", "10.00"), code="DELETED-1")))
    recording.delete("marketplaceCode=DELETED-1&channelName=CHANNEL_NAME&accountId=19055")
    recording.submit(order("OPEN-1", extracts=entries(("SALE", "5.01"), code="OPEN-1")))
    recording.open(creation())
    recording.release(release())
    return recording


def test_a_day_ties_out() -> None:
    recording = day()
    recording.notify(DONE)
    books = books_of(recording)
    assert books.ties_out
    assert {name: f"{amount:.2f}" for name, amount in sums(books).items()} == {
        "submitted": "313.86", "replaced": "147.61", "deleted": "10.00", "open": "5.01", "expected": "151.24",
        "released": "151.24", "reconciled": "151.24", "unfinished": "0.00", "difference": "0.00",
    }  # fmt: skip


def test_what_is_not_known_to_be_reconciled_is_told() -> None:
    situations = [row.situation for row in books_of(day()).rows]
    assert situations == ["in no period", "complete, not told to be reconciled"]
    recording = day()
    recording.notify({**DONE, "situation": "ERROR"})
    books = books_of(recording)
    assert books.rows[1].situation == "ended in ERROR"
    assert (books.rows[1].reconciled, books.rows[1].unfinished) == (Decimal("0.00"), Decimal("151.24"))


def test_a_release_of_another_value_is_named_with_its_order_and_entry() -> None:
    recording = Recording()
    recording.submit(order())
    recording.open(creation())
    recording.release(release(releases=entries(("SALE", "203.64"), ("COMISSION", "-24.44"), ("SHIP", "-27.95"))))
    books = books_of(recording)
    assert not books.ties_out
    (note,) = books.notes
    assert (note.key[2], note.entry, note.says) == (CODE, 2, "expected 151.24, released 151.25")
    assert sums(books)["difference"] == Decimal("0.01")


def test_an_order_that_is_released_twice_is_named() -> None:
    recording = Recording()
    recording.submit(order())
    recording.open(creation(releasesQtd=6))
    recording.release(release())
    recording.release(release())
    (note,) = books_of(recording).notes
    assert (note.entry, note.says) == (3, "expected 0.00, released 151.24, and released before")


def test_an_order_that_was_not_seen_is_counted_and_taken_for_right() -> None:
    recording = Recording()
    recording.open(creation())
    recording.release(release())
    books = books_of(recording)
    assert books.ties_out
    assert [row.unknown for row in books.rows] == [0, 1]


def test_an_order_that_a_query_showed_is_in_the_books() -> None:
    recording = Recording()
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    books = books_of(recording)
    assert books.ties_out
    assert sums(books)["submitted"] == Decimal("151.24")


def test_lost_answers_tie_out_either_way() -> None:
    changed = order(extracts=entries(("SALE", "203.63")))
    for shown in (order(), changed):
        recording = Recording()
        recording.submit(order())
        recording.submit(changed, status=None)
        recording.look_up(answer=shown)
        recording.submit(order())
        recording.delete(status=None)
        recording.look_up(answer=order(), after=4000)
        recording.open(creation())
        recording.release(release())
        assert books_of(recording).ties_out


def test_what_follows_a_release_changes_nothing_in_the_books() -> None:
    for later in (
        lambda recording: recording.submit(order(totalGrossValue=Decimal("203.63"))),
        lambda recording: recording.delete(),
        lambda recording: recording.look_up(status=404, answer={"errorCode": "404-3"}, after=4000),
        lambda recording: (recording.submit(order(), status=None), recording.look_up(answer=order(), after=4000)),
    ):
        recording = day()
        later(recording)
        books = books_of(recording)
        assert books.ties_out
        assert sums(books)["submitted"] == Decimal("313.86")


def test_a_day_that_a_server_takes_twice_is_in_the_books_twice() -> None:
    recording = day()
    recording.exchanges += day(BEGAN + timedelta(days=1)).exchanges
    books = books_of(recording)
    assert books.ties_out
    assert sums(books)["released"] == Decimal("302.48")


def test_amounts_that_are_no_money_do_no_harm() -> None:
    recording = Recording()
    recording.submit(dumps(order()).replace("203.63", "1E+400").encode())
    assert books_of(recording).ties_out


def test_the_table_and_the_page_say_the_same() -> None:
    recording = day()
    recording.notify(DONE)
    recording.open(creation(channelName="=1+1", **LATER), number=238)
    recording.submit(order("OTHER-1", channelName="=1+1", extracts=entries(("SALE", "7.00"), code="OTHER-1")))
    auditor = recording.audited()
    certificate = certify_recording(auditor, Secrets(), files=[], problems=[], started_at=BEGAN)
    page = books_page(auditor.books, certificate)
    assert "Ties out to 0.00" in page
    for row in csv.DictReader(io.StringIO(as_csv(auditor.books))):
        assert not row["channel"].startswith("=")
        assert row["submitted"] in page


CHANGED: Final = order(extracts=entries(("SALE", "203.63"), ("COMISSION", "-30.00"), ("SHIP", "-27.95")))


def lost_update(recording: Recording) -> None:
    recording.submit(CHANGED, status=None)


def lost_deletion(recording: Recording) -> None:
    recording.delete(QUERY, status=None)


@pytest.mark.parametrize("lost", [lost_update, lost_deletion])
@pytest.mark.parametrize(
    "then",
    [
        lambda _: None,
        lambda day: day.submit(CHANGED),
        lambda day: day.delete(QUERY),
        lambda day: day.look_up(answer=CHANGED),
        lambda day: (day.open(creation()), day.release(release())),
        lambda day: (day.open(creation()), day.release(release()), day.submit(CHANGED)),
    ],
    ids=["nothing", "sent again", "deleted", "looked up", "released", "released and sent again"],
)
def test_they_tie_out_after_a_lost_answer(
    lost: Callable[[Recording], None], then: Callable[[Recording], object]
) -> None:
    """The order was open in them, or released as nobody knows, and was in neither: 151.24 were missing, of no order."""
    recording = Recording()
    recording.submit(order())
    lost(recording)
    then(recording)
    books = books_of(recording)
    assert books.notes == []
    assert books.ties_out
