"""Connections on which nothing takes longer than an answer may, to the target or to the proxy on the way."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import httpcore
import httpx

from conformance.errors import CannotRun
from conformance.i18n.messages import mark
from conformance.target.wire.http.bounds import Bound
from conformance.target.wire.proxies import Proxy

KEPT_SECONDS: Final = 5.0
"""Seconds for which a connection that nobody uses is kept."""

Release = Callable[[Callable[[], None]], None]
"""Gets what sends the last byte of a request, and returns when that is done, by whomever."""


@dataclass(slots=True)
class Held:
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


class Now(threading.local):
    """The answer that a thread waits for."""

    bound: Bound | None = None
    held: Held | None = None


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing takes longer than the answer may."""

    def __init__(self, inner: httpcore.NetworkStream, now: Now) -> None:
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


def _bound(now: Now) -> Bound:
    assert now.bound is not None, "nobody waits for an answer"
    return now.bound


class Backend(httpcore.NetworkBackend):
    """Makes such connections, to the target or to the proxy on the way."""

    def __init__(self, now: Now, proxy: Proxy | None) -> None:
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


def through(proxy: Proxy, context: ssl.SSLContext | None, network: Backend) -> httpcore.ConnectionPool:
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
