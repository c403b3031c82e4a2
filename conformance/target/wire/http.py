"""The only module that knows the HTTP library on the way to a target: requests, the network, and answers that are bounded
as a whole, in time and in size. docs/decisions/018 says why it is httpx, and when to change."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import quote

import httpcore
import httpx

from conformance.errors import CannotRun
from conformance.i18n.messages import mark
from conformance.target.wire.decoding import SPOKEN, TooMuch, Undecodable, decoded, in_utf8
from conformance.target.wire.proxies import Proxy

Request = httpx.Request
Transport = httpx.BaseTransport
URL = httpx.URL
InvalidURL = httpx.InvalidURL

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: float = 30.0
"""Seconds to wait for a connection, and for the next byte."""

ANSWER_SECONDS: float = 60.0
"""Seconds in which an answer is whole, from the beginning of the request on."""

SHORTEST_SECONDS: Final = 10.0
"""The same for who wants to wait less: a target takes its time to answer."""

BLOCKED_SECONDS: Final = 2.0
"""Seconds for what follows the status line of a 423, which says all by itself."""

LARGEST_ANSWER: Final = 2 * 1024 * 1024
"""Bytes of a body, with and without its content coding."""

CHUNK: Final = 400
"""Bytes of a chunk in which a body is sent: an order has several."""

LARGEST_FRAME: Final = 256 * 1024
"""Bytes of all that is no body: status lines, headers, the sizes of chunks."""

BLOCKED: Final = 423
FINAL: Final = 200
"""Statuses below it announce the answer."""
PROXY_REFUSES: Final = 407

LINE_ENDS: Final = 4
"""Bytes that some servers send behind a body."""

WITHOUT_BODY: Final = frozenset({204, 304})
"""Answers that end with their headers, whatever is sent behind them."""


def answer_seconds(max_wait: float | None) -> float:
    """Seconds that a whole answer may take, for who wants to wait at most so long (None: as long as it takes)."""
    return ANSWER_SECONDS if max_wait is None else min(ANSWER_SECONDS, max(SHORTEST_SECONDS, max_wait))


class NoAnswer(Exception):
    """No answer came that could be judged. The request may have been carried out."""

    status: int | None = None
    """What the first line of the answer says, where so much came."""


class NeverSent(NoAnswer):
    """No connection was had: the request can be sent again without harm, whatever it is."""


class ProxyRefused(NeverSent):
    """The proxy on the way lets nothing pass, or is not there."""


class BrokenOff(NoAnswer):
    """The other side closed the connection under the request or its answer."""


class Garbled(NoAnswer):
    """What came is no answer: it can't be read, or is too large."""


class StillPassing(NoAnswer):
    """A failure that passes did not pass, however often it was tried."""

    def __init__(self, status: int, tries: int) -> None:
        self.status = status
        super().__init__(f"still {status} after {tries} tries")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole, its body without content codings and in UTF-8, also where it declares another charset. Header names are
    in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class InChunks(bytes):
    """A body that is sent in several chunks, without a Content-Length."""

    def parts(self) -> list[bytes]:
        """Its chunks."""
        return [self[place : place + CHUNK] for place in range(0, len(self), CHUNK)]


class _Parts(httpx.SyncByteStream):
    """The chunks of a body, as often as they are asked for: a request may be sent again."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)


class AsItStands(str):
    """The value of a query parameter that is sent as it stands, escaped or not."""

    __slots__ = ()


class Builder:
    """Makes the requests to one target."""

    def __init__(self, base_url: str, paths: Iterable[str], user_agent: str) -> None:
        """`paths` are those that are asked for often: parsing a URL is a tenth of what a request costs in process."""
        self._urls = {path: URL(base_url + path) for path in paths}
        self.base_path = URL(base_url).path.rstrip("/")  # as httpx reads it: decoded, without dots
        self._http = httpx.Client(
            base_url=base_url,
            transport=httpx.MockTransport(_never),  # it builds, and sends nothing
            trust_env=False,
            headers={"accept": "application/json", "accept-encoding": SPOKEN, "user-agent": user_agent},
        )

    def build(
        self, method: str, path: str, query: Mapping[str, str] | None, content: bytes | None, headers: Mapping[str, str]
    ) -> Request:
        """The request; a blank in its query is sent as %20, since not everybody takes a plus for one. Raises UnicodeError where
        a header holds what none can."""
        chunks = content.parts() if isinstance(content, InChunks) else None
        request = self._http.build_request(
            method, self._urls.get(path) or path, params=query, content=chunks or content, headers=headers
        )
        if chunks is not None:
            request.read()  # so that it is known whole; that joins it
            request.stream = _Parts(chunks)
        if b"+" in request.url.query:  # a plus that is meant is %2B there
            request.url = request.url.copy_with(query=request.url.query.replace(b"+", b"%20"))
        if query and any(isinstance(value, AsItStands) for value in query.values()):
            parts = (
                f"{name}={value if isinstance(value, AsItStands) else quote(value, safe='')}"
                for name, value in query.items()
            )
            request.url = request.url.copy_with(query="&".join(parts).encode())
        return request


def _never(request: Request) -> httpx.Response:
    raise NotImplementedError(f"{request.method} {request.url.path} goes another way")


def no_cookies() -> CookieJar:
    """A jar that keeps none: a session must not stand in for a token."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


Release = Callable[[Callable[[], None]], None]
"""Gets what sends the last byte of a request, and returns when that is done, by whomever."""


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
        raise _failure(error) from None
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        begun(response.status_code, headers)
        body = decoded(_whole(response.stream), headers.get("content-encoding", ""), LARGEST_ANSWER)
        return Answer(response.status_code, headers, in_utf8(body, headers.get("content-type", "")))
    except TooMuch:
        raise Garbled(_TOO_LARGE) from None
    except Undecodable as error:
        _give_up(response)
        raise Garbled(f"an answer that can't be read: {error}") from None
    except httpx.HTTPError as error:
        raise _failure(error) from None
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


_TOO_LARGE: Final = f"an answer of more than {LARGEST_ANSWER // 1024**2} MiB"

_KINDS: Final[tuple[tuple[tuple[type[Exception], ...], type[NoAnswer]], ...]] = (
    ((httpx.ProxyError, httpcore.ProxyError), ProxyRefused),
    ((httpx.ConnectError, httpcore.ConnectError), NeverSent),
    ((httpx.ConnectTimeout, httpcore.ConnectTimeout, httpx.PoolTimeout, httpcore.PoolTimeout), NeverSent),
    ((httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol), NeverSent),
    ((httpx.LocalProtocolError, httpcore.LocalProtocolError), NeverSent),
    ((httpx.NetworkError, httpcore.NetworkError), BrokenOff),
)
"""What a failure of the library is here; NoAnswer where it is none of these."""

_GARBLED: Final = (httpx.RemoteProtocolError, httpcore.RemoteProtocolError, httpx.DecodingError)


class _TooLarge(httpcore.RemoteProtocolError):
    """More came than an answer may have."""


def _failure(error: Exception) -> NoAnswer:
    words = str(error) or type(error).__name__
    if isinstance(error, _TooLarge):
        return Garbled(words)
    if isinstance(error, _GARBLED):
        return BrokenOff(words) if _is_cut(words) else Garbled(f"an answer that can't be read: {words}")
    return next((failure for kinds, failure in _KINDS if isinstance(error, kinds)), NoAnswer)(words)


def _is_cut(words: str) -> bool:
    """Whether the connection was closed before the answer was whole."""
    return "peer closed connection" in words or "disconnected" in words


# -- the network ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Bound:
    """How long and how large one answer may still be, and what of it has come."""

    seconds: float
    ends_at: float = field(init=False)
    head: bytearray = field(default_factory=bytearray)
    """Its first bytes, those of its first line and of its headers among them."""
    count: int = 0
    has_begun: bool = False
    """Whether its headers are whole."""

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.seconds

    def left(self, timeout: float | None) -> float:
        """The seconds that what is done next may take. Raises httpcore.ReadTimeout where none are left."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(self.too_slow)
        return left if timeout is None else min(left, timeout)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.ends_at

    @property
    def too_slow(self) -> str:
        return f"no whole answer within {self.seconds:g} s"

    def received(self, raw: bytes) -> None:
        """Take note of what came. Raises _TooLarge where that is too much."""
        self.count += len(raw)
        if len(self.head) < LARGEST_FRAME:
            self.head += raw[: LARGEST_FRAME - len(self.head)]
        if self.count > LARGEST_FRAME and not self.has_begun:
            raise _TooLarge(f"an answer with more than {LARGEST_FRAME // 1024} KiB before its body")
        if self.count > LARGEST_ANSWER + LARGEST_FRAME:
            raise _TooLarge(_TOO_LARGE)

    def behind(self, body_length: int, *, chunked: bool) -> int | None:
        """How many bytes came behind the answer; None where that can't be told."""
        begin = self._answer_begins
        blank = _BLANK_LINE.search(self.head, begin) if begin is not None else None
        if blank is None:
            return None
        if not chunked:
            return self.count - blank.end() - body_length
        end = _end_of_chunks(self.head, blank.end()) if self.count == len(self.head) else None
        return None if end is None else self.count - end

    @property
    def status(self) -> int | None:
        """What the first line says, that of the answer itself: those before it are passed over."""
        begin = self._answer_begins
        line = _STATUS_LINE.match(self.head, begin) if begin is not None else None
        return int(line[1]) if line else None

    @property
    def _answer_begins(self) -> int | None:
        """Where its first line begins."""
        at = 0
        while line := _STATUS_LINE.match(self.head, at):
            if int(line[1]) >= FINAL:
                return at
            blank = _BLANK_LINE.search(self.head, at)
            if blank is None:
                return None
            at = blank.end()
        return None


def _end_of_chunks(raw: bytearray, at: int) -> int | None:
    """Where a chunked body that begins there ends; None where it does not."""
    while line := _CHUNK_SIZE.match(raw, at):
        size = int(line[1], 16)
        if not size:
            blank = _BLANK_LINE.search(raw, line.end() - 1)  # behind the trailers, if there are any
            return blank.end() if blank else None
        at = line.end() + size + len(b"\r\n")
    return None


_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?!\d)")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]*\n")


@dataclass(slots=True)
class _Held:
    """A request whose last byte is held back."""

    method: bytes
    has_body: bool
    release: Release
    has_head: bool = False

    def is_end(self, buffer: bytes) -> bool:
        """Whether what is written ends the request: its head where it has no body, else what follows the head. What is said to
        a proxy before it is neither."""
        if not self.has_head:
            self.has_head = buffer.startswith(self.method + b" ")
            return self.has_head and not self.has_body
        return bool(buffer)


class _Now(threading.local):
    """The answer that a thread waits for."""

    bound: _Bound | None = None
    held: _Held | None = None


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing takes longer than the answer may."""

    def __init__(self, inner: httpcore.NetworkStream, now: _Now) -> None:
        self._inner = inner
        self._now = now

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        bound = _bound(self._now)
        raw = self._inner.read(max_bytes, bound.left(timeout))
        bound.received(raw)
        return raw

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        held = self._now.held
        if held is not None and held.is_end(buffer):
            self._now.held = None
            self._inner.write(buffer[:-1], _bound(self._now).left(timeout))
            left = _bound(self._now).left(timeout)
            held.release(lambda: self._inner.write(buffer[-1:], left))
        else:
            self._inner.write(buffer, _bound(self._now).left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        bound = _bound(self._now)
        stream = self._inner.start_tls(ssl_context, server_hostname, bound.left(timeout))
        bound.head.clear()  # what a proxy said before
        bound.count = 0
        return _Stream(stream, self._now)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _bound(now: _Now) -> _Bound:
    assert now.bound is not None, "nobody waits for an answer"
    return now.bound


class _Network(httpcore.NetworkBackend):
    """Makes such connections, to the target or to the proxy on the way."""

    def __init__(self, now: _Now, proxy: Proxy | None) -> None:
        self._inner = httpcore.SyncBackend()
        self._now = now
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _bound(self._now).left(timeout)
        try:
            stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            if self._proxy is None:
                raise
            raise httpcore.ProxyError(mark(f"it can't be reached: {error}")) from None
        except UnicodeError as error:  # a host name that is none
            raise httpcore.ConnectError(str(error)) from None
        return _Stream(stream, self._now)


class Network(httpx.BaseTransport):
    """Over the network to a target, through the proxy on the way, if there is one."""

    def __init__(self, base_url: str, proxy: Proxy | None = None, seconds: float = ANSWER_SECONDS) -> None:
        """An answer takes at most so many seconds. Raises CannotRun where certificates can't be read."""
        self._seconds = seconds
        self._proxy = proxy
        self._now = _Now()
        network = _Network(self._now, proxy)
        secured = base_url.startswith("https:") or (proxy is not None and proxy.scheme == "https")
        context = trusted() if secured else None
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, keepalive_expiry=KEPT_SECONDS, network_backend=network
        )
        if proxy is not None:
            self._pool = _through(proxy, context, network)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; what comes back is bounded until it is closed. Raises NoAnswer."""
        bound = self._now.bound = _Bound(self._seconds)
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
        self._now.held = _Held(request.method.encode(), has_body, release)
        try:
            return self.handle_request(request)
        finally:
            self._now.held = None

    def let_go(self) -> None:
        """Close the connections that nobody uses: a server that answers on one connection at a time answers on no other."""
        self._pool.close()

    def _failed(self, error: Exception, bound: _Bound) -> NoAnswer:
        failure = _failure(error)
        if isinstance(error, httpcore.TimeoutException) and bound.is_over and not isinstance(failure, NeverSent):
            failure = NoAnswer(bound.too_slow)
        if self._proxy is not None:
            failure = type(failure)(f"{self._proxy}: {failure}")
        failure.status = bound.status
        return failure

    def close(self) -> None:
        self._pool.close()


KEPT_SECONDS: Final = 5.0
"""Seconds for which a connection that nobody uses is kept."""

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
        self, method: str, answer: httpcore.Response, bound: _Bound, failed: Callable[[Exception, _Bound], NoAnswer]
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


def _through(proxy: Proxy, context: ssl.SSLContext | None, network: _Network) -> httpcore.ConnectionPool:
    """Connections through a proxy."""
    credentials = (proxy.user.encode(), proxy.password.encode()) if proxy.user or proxy.password else None
    url = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/")
    if proxy.scheme.startswith("socks"):
        return httpcore.SOCKSProxy(
            url, credentials, ssl_context=context, keepalive_expiry=KEPT_SECONDS, network_backend=network
        )
    return httpcore.HTTPProxy(
        url,
        credentials,
        ssl_context=context,
        proxy_ssl_context=context if proxy.scheme == "https" else None,
        keepalive_expiry=KEPT_SECONDS,
        network_backend=network,
    )


def trusted() -> ssl.SSLContext:
    """The certificates that are trusted: those of SSL_CERT_FILE or SSL_CERT_DIR where these are set. Raises CannotRun."""
    try:
        return httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        raise CannotRun(
            f"SSL_CERT_FILE or SSL_CERT_DIR: the certificates can't be read: {error}; let it name a file in PEM with the "
            "authorities that are trusted, or unset it"
        ) from None
