"""A rule is not enforced since a value that can't be read stands for another: none, zero, or a boolean's number."""

from __future__ import annotations

from typing import Any, Final

from conformance.contract.instants import parse_instant
from conformance.mock.defects.parsers import rolled_over
from conformance.mock.defects.parts import SUBMIT, changed
from conformance.mock.defects.parts import rules as blamed
from conformance.mock.defects.tolerance import COUNTS, DATES, NUMBERS, reads
from conformance.mock.quirks import Defect


def _none_if_unreadable(value: Any) -> Any:
    return None if isinstance(value, str) and parse_instant(rolled_over(value)) is None else value


def _as_number(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _zero_for_none(order: dict[str, Any]) -> dict[str, Any]:
    extracts = order.get("extracts")
    if not isinstance(extracts, list):
        return order
    mended = [{**one, "value": one.get("value") or 0} if isinstance(one, dict) else one for one in extracts]
    return {**order, "extracts": mended}


LENIENT_VALUES: Final = (
    reads("ord-08-unreadable-is-none", "Takes a date that it can't read for none.",
          _none_if_unreadable, DATES, "ORD-08", "ORD-21", "REL-17"),
    reads("ord-13-booleans-as-numbers", "Takes true for 1.", _as_number, (*NUMBERS, *COUNTS), "ORD-13", "REC-07"),
    Defect(name="ord-12-zero-for-none", statement="Takes the value of an extract that has none for 0.",
           rules=blamed("ORD-12", "ORD-13"),
           judges=lambda request: changed(request, _zero_for_none(dict(request.fields)))
           if request.endpoint is SUBMIT and request.fields else request),
)  # fmt: skip
