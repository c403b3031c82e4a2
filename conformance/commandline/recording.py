"""What the mock is asked and answers, written down as a recording that an audit reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from conformance.contract.judge import Request as Asked
from conformance.errors import CannotRun
from conformance.mock.notifications import Heard
from conformance.mock.quirks import Answer, Leaves
from conformance.traffic.exchange import Exchange, Origin, Request, Response
from conformance.traffic.ndjson import line_of


class Recorder:
    """Writes down the calls that come to a mock, and the notifications that leave it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._writing = Lock()

    def call(self, asked: Asked, answer: Answer, came: datetime, answered: datetime) -> None:
        """Write a call and its answer."""
        self._keep(exchange_of(asked, answer, came, answered))

    def notification(self, url: str, body: bytes, heard: Heard | None, left: datetime, answered: datetime) -> None:
        """Write a notification and what the callback answered."""
        self._keep(notified(url, body, heard, left, answered))

    def _keep(self, exchange: Exchange) -> None:
        line = line_of(exchange)
        with self._writing:
            self._write(line)


@contextmanager
def recorder_of(path: Path) -> Iterator[Recorder]:
    """Writes into this file, which is the user's alone (0600) and is written anew. Raises CannotRun where it can't be written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)  # it may have been there
    except OSError as error:
        raise CannotRun(f"{path}: cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb", buffering=0) as stream:
        yield Recorder(stream.write)


def notified(url: str, body: bytes, heard: Heard | None, left: datetime, answered: datetime) -> Exchange:
    """A notification and what the callback answered."""
    request = Request("POST", url, (("content-type", "application/json"),), body)
    response = Response(heard.status, (), heard.body, some_headers=True) if heard else None
    return Exchange(Origin("", 0), left, answered - left, request, response)


def exchange_of(asked: Asked, answer: Answer, came: datetime, answered: datetime) -> Exchange:
    """A call and its answer, as the client knew it."""
    query = f"?{asked.query_string}" if asked.query_string else ""
    host = asked.headers.get("host", "")
    request = Request(
        method=asked.method,
        url=f"http://{host}{quote(asked.path)}{query}",
        headers=tuple(asked.headers.items()),
        body=asked.body,
    )
    if answer.leaves is not Leaves.WHOLE:
        return Exchange(Origin("", 0), came, answered - came, request, None)
    headers = tuple((name.lower(), value) for name, value in answer.headers.items())
    response = Response(status=answer.status, headers=headers, body=answer.raw, some_headers=True)
    return Exchange(Origin("", 0), came, answered - came, request, response)
