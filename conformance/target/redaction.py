"""Secrets are known by value, so that they can be blotted out wherever they stand."""

from __future__ import annotations

import re
from urllib.parse import quote

from conformance.contract.jsontext import dumps

SHORTEST_SECRET = 4
"""A value shorter than this is not blotted out: it would take half of every text with it."""


COOKIES = frozenset({"cookie", "set-cookie"})

_SAME_EVERYWHERE = re.compile(r"[A-Za-z0-9._~-]*")
"""Characters that neither URLs nor JSON escape."""


class Redactor:
    """Collects secrets as they become known and replaces each by its name in any text."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._ordered: list[tuple[str, re.Pattern[str] | None, str]] = []

    def learn(self, secret: str, name: str) -> None:
        """From now on this value reads `<redacted:name>`, also where it is URL-encoded or escaped in JSON."""
        if len(secret) < SHORTEST_SECRET or secret in self._names:
            return
        self._names[secret] = name
        self._ordered.append((secret, _every_form(secret), f"<redacted:{name}>"))
        # The longest first: a token that holds another secret goes as a whole.
        self._ordered.sort(key=lambda known: -len(known[0]))

    def text(self, text: str) -> str:
        """The text with every known secret blotted out."""
        for secret, forms, blot in self._ordered:
            text = text.replace(secret, blot) if forms is None else forms.sub(blot, text)
        return text

    def raw(self, raw: bytes) -> bytes:
        """The bytes with every known secret blotted out, and otherwise as they are."""
        return self.text(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def header(self, name: str, value: str) -> str:
        """A header's value; that of a cookie is a secret as a whole."""
        return f"<redacted:{name}>" if name.lower() in COOKIES else self.text(value)

    def bytes_as_text(self, raw: bytes) -> str:
        """The bytes as text (UTF-8, what is not is escaped) with every known secret blotted out."""
        return self.text(raw.decode("utf-8", "backslashreplace"))


def _every_form(secret: str) -> re.Pattern[str] | None:
    """What finds the secret, whichever of its characters a URL or JSON escapes; None where none is ever escaped."""
    if _SAME_EVERYWHERE.fullmatch(secret):
        return None
    return re.compile("".join(_forms_of(character) for character in secret))


def _forms_of(character: str) -> str:
    escaped = {quote(character, safe=""), dumps(character)[1:-1], f"\\u{ord(character):04x}"} - {character}
    plain = {character, *{" ": "+", "/": ("\\/",)}.get(character, ())}
    forms = [f"(?i:{re.escape(form)})" for form in escaped] + [re.escape(form) for form in plain]
    return f"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"
