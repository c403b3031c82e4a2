"""Secrets are known by value, so that they can be blotted out wherever they stand."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

from conformance.contract.jsontext import dumps

SHORTEST_SECRET = 4
"""A value shorter than this is not blotted out: it would take half of every text with it."""


class Redactor:
    """Collects secrets as they become known and replaces each by its name in any text."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._ordered: list[tuple[str, str]] = []

    def learn(self, secret: str, name: str) -> None:
        """From now on this value reads `<redacted:name>`, also where it is URL-encoded or escaped in JSON."""
        if len(secret) < SHORTEST_SECRET or secret in self._names:
            return
        for form in {secret, quote(secret, safe=""), quote_plus(secret), dumps(secret)[1:-1]}:
            self._names[form] = name
        # The longest first: a token that holds another secret goes as a whole.
        self._ordered = sorted(self._names.items(), key=lambda item: -len(item[0]))

    def text(self, text: str) -> str:
        """The text with every known secret blotted out."""
        for secret, name in self._ordered:
            if secret in text:
                text = text.replace(secret, f"<redacted:{name}>")
        return text

    def bytes_as_text(self, raw: bytes) -> str:
        """The bytes as text (UTF-8, what is not is escaped) with every known secret blotted out."""
        return self.text(raw.decode("utf-8", "backslashreplace"))
