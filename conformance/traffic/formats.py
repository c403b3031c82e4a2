"""Which form a recording has, by its beginning, and who reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import BinaryIO, Final

from conformance.contract.jsontext import JSONValue
from conformance.errors import CannotRun
from conformance.traffic import wiremock
from conformance.traffic.access_log import is_logged, read_access_log
from conformance.traffic.cassettes import (
    LISTS,
    is_interaction,
    is_nock,
    read_json_cassette,
    read_nock,
    read_yaml_cassette,
)
from conformance.traffic.clocks import earlier, moved
from conformance.traffic.exchange import Exchange, Missing
from conformance.traffic.files import Opened, Source, Tell, opened
from conformance.traffic.har import is_entry, read_har
from conformance.traffic.json_text import Broken, JSONText
from conformance.traffic.manner import Manner, as_sent, looked_at
from conformance.traffic.ndjson import read_exchanges, read_ndjson
from conformance.traffic.newman import read_newman
from conformance.traffic.ordering import times_in
from conformance.traffic.other_forms import known_by_beginning, known_by_first, known_by_members


class Form(Enum):
    """A form of recordings."""

    HAR = "HAR 1.2"
    NDJSON = "NDJSON of exchanges"
    EXCHANGES = "a list of exchanges"
    JSON_CASSETTE = "a cassette in JSON"
    YAML_CASSETTE = "a cassette in YAML"
    NOCK = "nock"
    NEWMAN = "a report of Newman"
    ACCESS_LOG = "an access log of nginx"
    WIREMOCK = "a journal of WireMock"


MOST_MEMBERS: Final = 1_000


def form_of(source: Source) -> Form | None:
    """The form of a recording; None where it is empty. Raises CannotRun where it is of no known form."""
    with opened(source, lambda _: None) as file:
        text = JSONText(file.stream)
        try:
            start = text.peek()
            if not start:
                return None
            form = _form_of_list(text) if start == "[" else _form_of_object(text) if start == "{" else None
        except Broken:
            form = None
    if form is None and start not in {"{", "["}:
        form = _form_of_text(source)
    if form is None and (known := _known_otherwise(source, start)):
        raise CannotRun(f"{source.name}: {known}")
    if form is None:
        raise CannotRun(f"{source.name}: is no recording of a known form; docs/traffic.md lists them")
    return form


def _known_otherwise(source: Source, start: str) -> str | None:
    """What a file is that holds no recording, where it is known, and what to do instead."""
    with opened(source, lambda _: None) as file:
        if start not in {"{", "["}:
            return known_by_beginning(file.stream.read(_YAML_BYTES))
        text = JSONText(file.stream)
        try:
            if start == "[":
                return known_by_first(next((text.value() for _ in text.items()), None))
            return known_by_members(set(_names(text)))
        except Broken:
            return None


def _names(text: JSONText) -> Iterator[str]:
    for member in islice(text.members(), MOST_MEMBERS):
        text.value()
        yield member


def why_none(source: Source) -> str:
    """Why nothing is to be read in a recording that has no form: it is damaged from its beginning on, or empty."""
    told: list[str] = []
    with opened(source, told.append) as file:
        file.stream.read(1)
    return told[0] if told else f"{source.name}: is empty"


def _form_of_list(text: JSONText) -> Form | None:
    first: JSONValue = next((text.value() for _ in text.items()), None)
    if known_by_first(first):
        return None
    if is_nock(first):
        return Form.NOCK
    if is_entry(first) and ("startedDateTime" in first or "postData" in first["request"]):
        return Form.HAR
    if is_entry(first) and {"started", "seconds"} & first.keys():
        return Form.EXCHANGES
    return Form.JSON_CASSETTE if is_interaction(first) else None


_BY_MEMBER: Final[Mapping[str, Form]] = {
    "log": Form.HAR,
    "entries": Form.HAR,
    **dict.fromkeys(LISTS, Form.JSON_CASSETTE),
    "run": Form.NEWMAN,
    wiremock.MEMBER: Form.WIREMOCK,
    **dict.fromkeys(("request", "response", "started", "startedDateTime"), Form.NDJSON),
}
"""The form that an object or a list under this name shows; under those of the last line a text may stand too."""


def _form_of_object(text: JSONText) -> Form | None:
    names: set[str] = set()
    for member in islice(text.members(), MOST_MEMBERS):
        names.add(member)
        is_whole = text.peek() in {"{", "["}
        form = _BY_MEMBER.get(member)
        if form is not None and (is_whole or member.startswith("started")):
            return form
        text.value()
    return Form.ACCESS_LOG if is_logged(frozenset(names)) and not known_by_members(names) else None


_YAML_BYTES: Final = 1 << 16
_FLOWS: Final = re.compile(rb"\d{1,10}:\d{1,2}:[a-z_]{1,20};")
"""The beginning of a netstring that holds a name, and then a value."""


def _form_of_text(source: Source) -> Form | None:
    with opened(source, lambda _: None) as file:
        beginning = file.stream.read(_YAML_BYTES)
    if _FLOWS.match(beginning):
        raise CannotRun(
            f"{source.name}: holds flows as mitmproxy keeps them; make a HAR of them: "
            f"mitmdump -n -r {source.name} --set hardump=day.har"
        )
    lines = [line for line in beginning.splitlines() if line.strip() and not line.startswith((b"#", b"---"))]
    names = {line.split(b":")[0].decode("latin-1") for line in lines}
    is_list = bool(lines) and lines[0].lstrip().startswith(b"-") and b"request:" in beginning
    return Form.YAML_CASSETTE if LISTS & names or is_list else None


def exchanges(source: Source, form: Form, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of a recording, in the sequence in which it was written, each with the time at which it was sent."""
    manner, found = looked(source, form, tell)
    yield from as_sent(found, manner)


def looked(source: Source, form: Form, tell: Tell) -> tuple[Manner, Iterator[Exchange]]:
    """Whose its times are, and the exchanges of a recording as they were written."""
    found = _written(source, form, tell)
    return looked_at(found) if form in TIMED else (Manner.OF_CALLS, found)


def _written(source: Source, form: Form, tell: Tell) -> Iterator[Exchange]:
    with opened(source, tell) as file:
        yield from moved(_exchanges(file, form, source.name, tell), source)


TIMED: Final = frozenset({Form.HAR, Form.NDJSON, Form.EXCHANGES})
"""Forms that hold times as a recorder has written them."""


def manner_in(source: Source, form: Form) -> Manner:
    """Whose the times of a recording are, as its beginning shows."""
    return looked(source, form, lambda _: None)[0]


def _exchanges(file: Opened, form: Form, name: str, tell: Tell) -> Iterator[Exchange]:
    if form is Form.HAR:
        return read_har(JSONText(file.stream), name, file.resource, tell)
    if form in _OF_TEXT:
        return _OF_TEXT[form](JSONText(file.stream), name, tell)
    return _OF_LINES[form](file.stream, name, tell)


_OF_TEXT: Final[Mapping[Form, Callable[[JSONText, str, Tell], Iterator[Exchange]]]] = {
    Form.EXCHANGES: read_exchanges,
    Form.JSON_CASSETTE: read_json_cassette,
    Form.NOCK: read_nock,
    Form.NEWMAN: read_newman,
    Form.WIREMOCK: wiremock.read_wiremock,
}

_OF_LINES: Final[Mapping[Form, Callable[[BinaryIO, str, Tell], Iterator[Exchange]]]] = {
    Form.NDJSON: read_ndjson,
    Form.YAML_CASSETTE: read_yaml_cassette,
    Form.ACCESS_LOG: read_access_log,
}


def times(source: Source, form: Form) -> Iterator[datetime]:
    """The times of a recording's calls, in the sequence in which they were written, at the least cost."""
    if form in {Form.ACCESS_LOG, Form.WIREMOCK}:
        found = (exchange.started for exchange in exchanges(source, form, lambda _: None))
        yield from (time for time in found if not isinstance(time, Missing))
    elif form in TIMED:
        with opened(source, lambda _: None) as file:
            yield from (earlier(time, source.ahead) for time in times_in(file.stream))
