"""Why no answer came: the failures of the library, as what they mean for a request."""

from __future__ import annotations

from typing import Final

import httpcore
import httpx


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


class TooLarge(httpcore.RemoteProtocolError):
    """More came than an answer may have."""


def failure_of(error: Exception) -> NoAnswer:
    words = str(error) or type(error).__name__
    if isinstance(error, TooLarge):
        return Garbled(words)
    if isinstance(error, _GARBLED):
        return BrokenOff(words) if _is_cut(words) else Garbled(f"an answer that can't be read: {words}")
    return next((failure for kinds, failure in _KINDS if isinstance(error, kinds)), NoAnswer)(words)


def _is_cut(words: str) -> bool:
    """Whether the connection was closed before the answer was whole."""
    return "peer closed connection" in words or "disconnected" in words
