"""Requests over the network, and their answers, whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import httpcore
import httpx

from conformance.target.wire.decoding import TooMuch, Undecodable, decoded, in_utf8
from conformance.target.wire.http.bounds import LARGEST_ANSWER, TOO_LARGE, Bound
from conformance.target.wire.http.building import Request
from conformance.target.wire.http.connections import KEPT_SECONDS, Backend, Held, Now, Release, through, trusted
from conformance.target.wire.http.failures import Garbled, NeverSent, NoAnswer, ProxyRefused, failure_of
from conformance.target.wire.proxies import Proxy

Transport = httpx.BaseTransport

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: float = 30.0
"""Seconds to wait for a connection, and for the next byte."""

ANSWER_SECONDS: float = 60.0
"""Seconds in which an answer is whole, from the beginning of the request on."""

SHORTEST_SECONDS: Final = 10.0
"""The same for who wants to wait less: a target takes its time to answer."""

BLOCKED_SECONDS: Final = 2.0
"""Seconds for what follows the status line of a 423, which says all by itself."""

BLOCKED: Final = 423
PROXY_REFUSES: Final = 407

LINE_ENDS: Final = 4
"""Bytes that some servers send behind a body."""

WITHOUT_BODY: Final = frozenset({204, 304})
"""Answers that end with their headers, whatever is sent behind them."""


def answer_seconds(max_wait: float | None) -> float:
    """Seconds that a whole answer may take, for who wants to wait at most so long (None: as long as it takes)."""
    return ANSWER_SECONDS if max_wait is None else min(ANSWER_SECONDS, max(SHORTEST_SECONDS, max_wait))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole, its body without content codings and in UTF-8, also where it declares another charset. Header names are
    in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    transport: Transport,
    request: Request,
    begun: Callable[[int, Mapping[str, str]], None],
    release: Release | None = None,
) -> Answer:
    """Send the request, read its answer whole. `begun` hears the status and the headers before the body is read; `release` gets
    what sends the last byte, when all else of the request is sent.

    Raises NoAnswer.
    """
    try:
        if release is None:
            response = transport.handle_request(request)
        elif isinstance(transport, Network):
            response = transport.handle_held(request, release)
        else:  # in this process nothing is sent byte by byte
            release(lambda: None)
            response = transport.handle_request(request)
    except httpx.HTTPError as error:
        raise failure_of(error) from None
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        begun(response.status_code, headers)
        body = decoded(_whole(response.stream), headers.get("content-encoding", ""), LARGEST_ANSWER)
        return Answer(response.status_code, headers, in_utf8(body, headers.get("content-type", "")))
    except TooMuch:
        raise Garbled(TOO_LARGE) from None
    except Undecodable as error:
        _give_up(response)
        raise Garbled(f"an answer that can't be read: {error}") from None
    except httpx.HTTPError as error:
        raise failure_of(error) from None
    finally:
        response.close()


def _give_up(response: httpx.Response) -> None:
    """Use the connection for no other request: who answers so is about to close it, or to send worse."""
    stream = response.extensions.get("network_stream")
    if stream is not None:
        stream.close()


def _whole(stream: object) -> bytes:
    assert isinstance(stream, Iterable)
    body = bytearray()
    for part in stream:
        body += part
        if len(body) > LARGEST_ANSWER:
            raise TooMuch
    return bytes(body)


class Network(httpx.BaseTransport):
    """Over the network to a target, through the proxy on the way, if there is one."""

    def __init__(self, base_url: str, proxy: Proxy | None = None, seconds: float = ANSWER_SECONDS) -> None:
        """An answer takes at most so many seconds. Raises CannotRun where certificates can't be read."""
        self._seconds = seconds
        self._proxy = proxy
        self._now = Now()
        network = Backend(self._now, proxy)
        secured = base_url.startswith("https:") or (proxy is not None and proxy.scheme == "https")
        context = trusted() if secured else None
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, keepalive_expiry=KEPT_SECONDS, network_backend=network
        )
        if proxy is not None:
            self._pool = through(proxy, context, network)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; what comes back is bounded until it is closed. Raises NoAnswer."""
        bound = self._now.bound = Bound(self._seconds)
        url = request.url
        try:
            answer = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions={"timeout": _timeouts()},
                )
            )
        except (*_LIBRARY, OSError) as error:
            raise self._failed(error, bound) from None
        if answer.status == PROXY_REFUSES and self._proxy is not None:
            answer.close()
            raise ProxyRefused(f"{self._proxy}: it answers 407 and wants other credentials")
        bound.has_begun = True
        if answer.status == BLOCKED:
            bound.ends_at = min(bound.ends_at, time.monotonic() + BLOCKED_SECONDS)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(request.method, answer, bound, self._failed),
            extensions={"network_stream": answer.extensions["network_stream"]},
        )

    def handle_held(self, request: httpx.Request, release: Release) -> httpx.Response:
        """The same; the last byte is sent by `release`."""
        has_body = request.headers.get("content-length", "0") != "0"
        self._now.held = Held(request.method.encode(), has_body, release)
        try:
            return self.handle_request(request)
        finally:
            self._now.held = None

    def let_go(self) -> None:
        """Close the connections that nobody uses: a server that answers on one connection at a time answers on no other."""
        self._pool.close()

    def _failed(self, error: Exception, bound: Bound) -> NoAnswer:
        failure = failure_of(error)
        if isinstance(error, httpcore.TimeoutException) and bound.is_over and not isinstance(failure, NeverSent):
            failure = NoAnswer(bound.too_slow)
        if self._proxy is not None:
            failure = type(failure)(f"{self._proxy}: {failure}")
        failure.status = bound.status
        return failure

    def close(self) -> None:
        self._pool.close()


_LIBRARY: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
"""All that httpcore raises."""


def _timeouts() -> dict[str, float]:
    return {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": CONNECT_SECONDS}


class _Body(httpx.SyncByteStream):
    """The body of an answer. A connection on which more came than that is not used again: the rest would be taken for the
    next answer."""

    def __init__(
        self, method: str, answer: httpcore.Response, bound: Bound, failed: Callable[[Exception, Bound], NoAnswer]
    ) -> None:
        self._empty = method == "HEAD" or answer.status in WITHOUT_BODY
        self._answer = answer
        self._bound = bound
        self._failed = failed

    def __iter__(self) -> Iterator[bytes]:
        length = 0
        try:
            for part in self._answer.iter_stream():
                length += len(part)
                yield part
        except (*_LIBRARY, OSError) as error:
            raise self._failed(error, self._bound) from None
        names = {name.lower() for name, _ in self._answer.headers}
        behind = self._bound.behind(length, chunked=b"transfer-encoding" in names and not self._empty)
        if behind != 0:
            self._answer.extensions["network_stream"].close()
        if behind and behind > LINE_ENDS and b"content-length" in names and not self._empty:
            raise Garbled("an answer that can't be read: more came than its Content-Length says")

    def close(self) -> None:
        self._answer.close()
