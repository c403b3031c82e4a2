"""The page of the books."""

from __future__ import annotations

from typing import Final

from conformance.audit.books import COLUMNS, Books, Note, cells
from conformance.i18n.messages import mark, tr
from conformance.report.files import BOOKS, PAGE
from conformance.report.page.render import filled, icon_of
from conformance.verdict.certificate import Certificate

MOST_ROWS: Final = 2_000
"""So many rows the page shows; books.csv has all."""

LAWS: Final = (
    mark("Of each account and channel: submitted = replaced + deleted + open + expected by releases"),
    mark("of each period: released = reconciled + unfinished"),
    mark("order by order: expected = released"),
)


def books_page(books: Books, certificate: Certificate) -> str:
    """The page: whether the books tie out, what does not, and the sums."""
    symbol, colour = ("✓", "pass") if books.ties_out else ("✗", "fail")
    headline = tr("Ties out to 0.00") if books.ties_out else tr("{number} do not tie out", number=books.out)
    return filled(
        "books.html.j2",
        name=certificate.target.name,
        symbol=symbol,
        colour=colour,
        icon=icon_of(symbol, colour),
        headline=headline,
        laws=[tr(law) for law in LAWS],
        index=PAGE,
        csv=BOOKS,
        notes=[_told(note) for note in books.notes],
        more=books.out - len(books.notes),
        columns=COLUMNS,
        rows=[cells(row) for row in books.rows[:MOST_ROWS]],
        left=max(0, len(books.rows) - MOST_ROWS),
    )


def _told(note: Note) -> str:
    account, channel, code = note.key
    place = f"account {account} on {channel}"
    if not code:
        return f"{place}: {note.says}"
    return f"order {code} of {place}, entry {note.entry} of {note.file}: {note.says}"
