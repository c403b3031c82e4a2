"""Pages of made-up certificates for the tests: taken apart as a browser would, and with hostile texts in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

from conformance.report.page.render import page
from conformance.verdict.certificate import Certificate
from tests.suite.support.example_certificates import (
    FAILURES,
    UNDECIDED,
    failing,
)

VOID: Final = {"meta", "link", "input", "br", "rect", "wbr"}


@dataclass
class Element:
    """An element of a page, and the tags that it is within."""

    tag: str
    attributes: dict[str, str]
    within: tuple[str, ...] = ()
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All the text in it."""
        return "".join(self.parts)


@dataclass
class Read(HTMLParser):
    """A page as a browser would take it apart."""

    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(
            tag, {name: value or "" for name, value in attrs}, within=tuple(one.tag for one in self._open)
        )
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop().tag == tag, "elements are closed in the order in which they were opened"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.parts.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements with this tag, attributes, and class (`class_`: one of several)."""
        class_ = attributes.pop("class_", None)
        return [
            element
            for element in self.elements
            if element.tag == tag
            and attributes.items() <= element.attributes.items()
            and (class_ is None or class_ in element.attributes.get("class", "").split())
        ]

    def close(self) -> None:
        super().close()
        assert self._open == [], "every element is closed"


def read(of: Certificate, beside: Any = ()) -> Read:
    """The page of a certificate, taken apart."""
    reader = Read()
    reader.feed(page(of, beside))
    reader.close()
    return reader


HOSTILE: Final = (
    "</script><script>alert(1)</script>\"'`><img src=x onerror=alert(1)></style><!-- </title></pre></details>"
    "\0\a\x1b[31m\r\u202e\u2066\ufeff &amp; &lt; {{ 7 * 7 }} {% raw %}\U000e0041" + "x" * 200
)


def spoilt(text: str) -> Certificate:
    """A certificate of which every text is this one."""
    run = json.loads(failing().to_json())
    run["profile"] = text
    run["target"] |= {"name": text, "baseUrl": text}
    run["suite"] = {"version": text, "commit": text}
    run["contract"]["version"] = text
    run["readings"] = {text: text}
    run["readingsFrom"] = {}
    run["rules"] = [rule for rule in run["rules"] if rule["id"] in {*FAILURES, *UNDECIDED, "ORD-01"}]
    for number, rule in enumerate(run["rules"]):
        rule |= {"id": f"{text}{number}", "statement": text, "reason": text, "endpoints": {text: {"accepted": 1}}}
        if rule["counterexample"]:
            exchange = {"method": text, "url": text, "headers": {text: text}, "body": text, "status": text}
            rule["counterexample"] = {"request": exchange, "response": exchange, "curl": f"# 1. {text}: 200\n{text}"}
    return Certificate.model_validate_json(json.dumps(run))
