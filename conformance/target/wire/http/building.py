"""Requests to a target, as they are built: their URL, their query, a body in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from urllib.parse import quote

import httpx

from conformance.target.wire.decoding import SPOKEN

Request = httpx.Request
URL = httpx.URL
InvalidURL = httpx.InvalidURL

CHUNK: Final = 400
"""Bytes of a chunk in which a body is sent: an order has several."""


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
