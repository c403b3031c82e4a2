"""The exchanges of a JSON document in which they are the items of one list, read item by item, past what is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from conformance.contract.jsontext import JSONValue
from conformance.traffic.exchange import Exchange, NoCall, Origin, unreadable
from conformance.traffic.files import Tell
from conformance.traffic.json_text import Broken, Ended, JSONText


@dataclass(slots=True)
class Listing:
    """How to read the list: the names that lead to it, what is an item of it, what exchange an item holds, or why none."""

    path: Sequence[str]
    is_item: Callable[[JSONValue], bool]
    convert: Callable[[JSONValue, Origin], Exchange | str]
    aside: dict[str, JSONValue] = field(default_factory=dict)
    """Values of members beside it, which are kept where their name is in here."""
    place: int = 0
    """Of the item that is read, or comes next."""


def read_list(text: JSONText, listing: Listing, name: str, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of the document, and of those after it, in the sequence in which they were written; the text stands at its
    beginning.

    A list in place of the document is taken for that list. What is broken is told, and what follows it is read all the same; an
    unreadable exchange stands in its place.
    """
    try:
        while text.peek():  # documents may stand one after the other
            yield from _within(text, listing.path, listing, name, tell)
    except Broken as error:
        tell(f"{name}: {error} (character {error.position:,}); what stands before it was read")
        yield unreadable(Origin(name, listing.place))


def _within(text: JSONText, path: Sequence[str], listing: Listing, name: str, tell: Tell) -> Iterator[Exchange]:
    if text.peek() == "[":
        yield from _items(text, listing, name, tell)
        return
    for member in text.members():
        start = text.peek()
        if member in path and start in {"{", "["}:
            rest = path[path.index(member) + 1 :]
            if rest or start == "[":
                yield from _within(text, rest, listing, name, tell)
                continue
        value = text.value()
        if member in listing.aside:
            listing.aside[member] = value


def _items(text: JSONText, listing: Listing, name: str, tell: Tell) -> Iterator[Exchange]:
    text.take("[")
    while text.peek() != "]":
        at = text.position
        try:
            exchange = listing.convert(text.value(), Origin(name, listing.place))
            if isinstance(exchange, Exchange):
                yield exchange
            else:
                tell(f"{name}: entry {listing.place} (character {at:,}) {exchange}; it is left out")
                if not isinstance(exchange, NoCall):
                    yield unreadable(Origin(name, listing.place))
            if text.peek() != "]":
                text.take(",")
        except Ended:
            raise
        except Broken as error:
            tell(
                f"{name}: entry {listing.place} is broken at character {error.position:,}: {error}; "
                "those after it count on from it"
            )
            yield unreadable(Origin(name, listing.place))
            if not text.to_next_object(listing.is_item):
                return
        listing.place += 1
    text.take("]")
