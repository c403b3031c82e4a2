"""One request and its answer, as they went over the wire."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from conformance.contract.endpoints import TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.target.wire.redaction import Redactor

SERVER_ERROR: Final = 500
"""Where the statuses of server errors begin."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. `seconds` is the time between them; header names are in lower case."""

    started_at: datetime
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes
    seconds: float
    endpoint: Endpoint | None = field(default=None)
    note: str = field(default="", compare=False)
    """What the suite was about, for whoever reads the story of a counterexample."""
    passed: Exchange | None = field(default=None, compare=False, repr=False)
    """A server error that the same request got before this answer, or a refusal by something on the way, and that did not come
    again."""

    @property
    def is_accepted(self) -> bool:
        """Whether it was answered with a 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004

    @property
    def is_refused(self) -> bool:
        """Whether it was answered with a 4xx."""
        return self.status // 100 == 4  # noqa: PLR2004

    def redirects_from(self, host: str) -> str | None:
        """The other host that it redirects to, if it does."""
        if self.status // 100 != 3:  # noqa: PLR2004
            return None
        try:
            elsewhere = urlsplit(self.response_headers.get("location", "")).hostname
        except ValueError:  # it leads nowhere
            return None
        return elsewhere if elsewhere != host else None

    @property
    def json(self) -> JSONValue:
        """The answer's body as JSON with money as Decimal, or None where it is empty or not JSON."""
        try:
            return loads(self.text)
        except NotJSON:
            return None

    @property
    def is_utf8(self) -> bool:
        """Whether the answer's body is text in UTF-8, or in the charset that it declares."""
        try:
            self.response_body.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    @property
    def text(self) -> str:
        """The answer's body as text. One that is not UTF-8 is read as ISO-8859-1: that it is not is a matter of its own."""
        return self.response_body.decode("utf-8" if self.is_utf8 else "iso-8859-1")

    @property
    def error_code(self) -> str | None:
        """The documented errorCode of the answer, where there is one."""
        body = self.json
        code = body.get("errorCode") if isinstance(body, dict) else None
        return code if isinstance(code, str) else None


AT_ONCE: Final = "at once: "
"""How the note of an exchange begins that was sent at once with those beside it."""


def as_curl(exchange: Exchange, redactor: Redactor) -> str:
    """A curl command that sends the request again. The token is left to the variable KONCILI_TOKEN."""
    parts = ["curl", "-i", "-X", exchange.method]
    token = exchange.request_headers.get(TOKEN_HEADER.lower())
    for name, value in exchange.request_headers.items():
        if name == TOKEN_HEADER.lower() and redactor.text(value) == "<redacted:accessToken>":
            continue
        if name in {"content-type", "integrator", "transfer-encoding", TOKEN_HEADER.lower()}:
            # curl takes `name:` for "leave it out", and `name;` for an empty one
            parts += ["-H", shlex.quote(redactor.text(f"{name}: {value}") if value else f"{name};")]
    if token is not None and redactor.text(token) == "<redacted:accessToken>":
        parts += ["-H", f'"{TOKEN_HEADER}: $KONCILI_TOKEN"']
    before = ""
    if exchange.request_body:
        text = redactor.raw(exchange.request_body).decode("utf-8", "surrogateescape")
        if text.isprintable():
            parts += ["--data-raw", shlex.quote(text)]
        else:  # a NUL or half a character no argument can hold, and what nobody sees nobody could copy
            before = f"printf '{_printf(text)}' | "
            parts += ["--data-binary", "@-"]
    elif exchange.method == "POST":
        parts += ["--data-raw", "''"]
    return before + " ".join([*parts, shlex.quote(redactor.text(exchange.url))])


_SPECIAL: Final = {"\\": r"\\", "%": "%%", "'": r"\047", "\n": r"\n"}


def _printf(text: str) -> str:
    """The text as the format of a `printf` between single quotes, in one line: what is not printable byte by byte, in octal."""
    shown = "".join(
        _SPECIAL.get(sign) or (sign if sign.isprintable() else "".join(rf"\{byte:03o}" for byte in _bytes(sign)))
        for sign in text
    )
    return rf"\055{shown[1:]}" if shown.startswith("-") else shown  # no option


def _bytes(sign: str) -> bytes:
    return sign.encode("utf-8", "surrogateescape")
