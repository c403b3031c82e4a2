"""Which form a recording has, by its beginning, and who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import islice

from conformance.errors import CannotRun
from conformance.traffic.exchange import Exchange
from conformance.traffic.files import Source, Tell, opened
from conformance.traffic.har import is_entry, read_har
from conformance.traffic.json_text import Broken, JSONText
from conformance.traffic.ndjson import read_ndjson


class Form(Enum):
    """A form of recordings."""

    HAR = "HAR"
    NDJSON = "NDJSON of exchanges"


def form_of(source: Source, tell: Tell) -> Form | None:
    """The form of a recording; None where it holds nothing. Raises CannotRun where it is of no known form."""
    with opened(source, tell) as file:
        text = JSONText(file.stream)
        try:
            start = text.peek()
            if not start:
                return None
            if start == "[" and is_entry(next(iter([text.value() for _ in islice(text.items(), 1)]), None)):
                return Form.HAR
            if start == "{":
                for member in islice(text.members(), 1000):
                    if member in {"log", "entries"}:
                        return Form.HAR
                    if member == "request":
                        return Form.NDJSON
                    text.value()
        except Broken:
            pass
    raise CannotRun(f"{source.name}: is no recording of a known form; docs/traffic.md lists them")


def entries(source: Source, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of a recording, in the sequence in which it was written."""
    form = form_of(source, lambda _: None)
    if form is None:
        tell(f"{source.name}: is empty")
        return
    with opened(source, tell) as file:
        if form is Form.HAR:
            yield from read_har(JSONText(file.stream), source.name, file.resource, tell)
        else:
            yield from read_ndjson(file.stream, source.name, tell)
