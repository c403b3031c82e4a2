"""How a target was seen to answer: statuses, the codes of refusals, delays, and in which form it shows dates, amounts and ids.

Of the exchanges of a run (its HAR). It decides nothing: `mock --like` answers so, `certify --compare` compares it. Pure.
"""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side
from conformance.verdict.exchanges import BROKEN, FIELD

Count = Annotated[int, Field(ge=0)]
Counts = dict[str, Count]

AS_SENT: Final = "as sent"
INSTANT, AMOUNT, ACCOUNT = "instant", "amount", "accountId"
MOST_FORMS: Final = 12
MOST_ORDERS: Final = 2_000
"""So many orders are remembered, the last that were sent, to compare them with what is shown."""

_INSTANTS: Final = (
    "createdDate",
    "approvedDate",
    "sendDate",
    "estimatedDeliveryDate",
    "deliveryDate",
    "cancelDate",
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class DelayEntry(_Part):
    """How long the answers of an endpoint took, in milliseconds."""

    median: Annotated[float, Field(ge=0)]
    slowest: Annotated[float, Field(ge=0)]


class ObservedEntry(_Part):
    """How the target answered."""

    statuses: dict[str, Counts]
    """By endpoint (`POST /order`): how often each status came."""
    refusals: dict[str, Counts]
    """By rule: with which status and code what breaks it was refused (`400 400-3`), rightly or wrongly."""
    delays: dict[str, DelayEntry]
    """By endpoint."""
    forms: dict[str, Counts]
    """In which form stored orders show an `instant` and an `amount` (`as sent`, or a pattern in which 9 stands for a digit:
    `9999-99-99T99:99:99.999-03:00`) and the `accountId` (`9`, or `"9"` for a text)."""


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def observed(entries: Iterable[Mapping[str, Any]]) -> ObservedEntry:
    """What the entries of a run's HAR show."""
    statuses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    refusals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    milliseconds: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    sent: dict[str, list[Mapping[str, Any]]] = {}
    has_forgotten = False
    for entry in entries:
        response = entry.get("response", {})
        status = response.get("status", 0)
        if not status:
            continue  # no answer came
        body, label = _Body(response.get("content")), _label(entry["request"])
        if label is not None:
            statuses[label][str(status)] += 1
            milliseconds[label].append(float(entry.get("time", 0)))
        for mark in entry.get(FIELD, {}).get("evidence", ()):
            if mark["side"] in {Side.REFUSED, BROKEN} and status // 100 == 4:  # noqa: PLR2004
                refusals[mark["rule"]][_refusal(status, body.json)] += 1
        if label == Endpoint.SUBMIT_ORDER.label:
            order = _Body(entry["request"].get("postData")).json
            if isinstance(order, Mapping):
                code = str(order.get("marketplaceCode"))
                sent[code] = [*sent.pop(code, ()), order]
                if len(sent) > MOST_ORDERS:
                    del sent[next(iter(sent))]
                    has_forgotten = True
        elif label == Endpoint.GET_ORDER.label and isinstance(order := body.json, Mapping):
            code = str(order.get("marketplaceCode"))
            if code not in sent and has_forgotten:
                continue
            for kind, form in _forms(order, sent.get(code, ())):
                forms[kind][form] += 1
    return ObservedEntry(
        statuses=_sorted(statuses),
        refusals=_sorted(refusals),
        delays={
            label: DelayEntry(median=round(median(times), 1), slowest=round(max(times), 1))
            for label, times in sorted(milliseconds.items())
        },
        forms={kind: dict(counts.most_common(MOST_FORMS)) for kind, counts in sorted(forms.items())},
    )


def own_form(kind: str, counts: Mapping[str, int]) -> str:
    """The form that the target gives by itself, whatever it is sent; "" where it shows what it was sent.

    Of an account the one that it always has; of the others the most frequent, where those that are not as sent are the more.
    """
    if kind == ACCOUNT:
        return next(iter(counts)) if len(counts) == 1 else ""
    own = {form: count for form, count in counts.items() if form != AS_SENT}
    return max(own, key=lambda form: own[form]) if sum(own.values()) > counts.get(AS_SENT, 0) else ""


def _sorted(counts: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {name: dict(sorted(those.items())) for name, those in sorted(counts.items())}


def _label(request: Mapping[str, Any]) -> str | None:
    path = urlsplit(str(request["url"])).path
    found = [one for one in Endpoint if request["method"] == one.method and path.endswith(one.path)]
    return found[0].label if found else None


_AS_WRITTEN: Final = json.JSONDecoder(parse_float=_Number, parse_int=_Number)


@dataclass(slots=True)
class _Body:
    """A body, read where somebody asks for it."""

    content: Any

    @property
    def json(self) -> Any:
        """Its JSON, numbers as they are written; None where it is none."""
        try:
            return _AS_WRITTEN.decode(self.content["text"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def _refusal(status: int, body: Any) -> str:
    code = body.get("errorCode", body.get("response")) if isinstance(body, Mapping) else None
    return f"{status} {code}" if code is not None else str(status)


def _forms(body: Mapping[str, Any], versions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The forms of what is shown of an order, beside what was sent of it at any time: nobody knows which of that it shows."""
    for name in _INSTANTS:
        if isinstance(value := body.get(name), str):
            yield INSTANT, AS_SENT if any(value == one.get(name) for one in versions) else _pattern(value)
    amounts = [before for one in versions for before in _values(one)]
    for value in _values(body):
        if value is not None:
            yield AMOUNT, AS_SENT if any(_same(value, before) for before in amounts) else _pattern(value)
    if (account := body.get("accountId")) is not None:
        yield ACCOUNT, _pattern(account)


def _values(body: Mapping[str, Any]) -> list[Any]:
    extracts = body.get("extracts")
    parts = [one.get("value") for one in extracts if isinstance(one, Mapping)] if isinstance(extracts, list) else []
    return [body.get("totalGrossValue"), *parts]


def _same(value: Any, before: Any) -> bool:
    return value == before and isinstance(value, _Number) == isinstance(before, _Number)


def _pattern(value: Any) -> str:
    """A form: of an instant the offset is told as it is, of a number only how many decimals it has."""
    if not isinstance(value, str):
        return type(value).__name__
    if found := re.fullmatch(r"(\d{4}-.*?)([Zz]|[+-][\d:]+)?", value):
        return re.sub(r"\d", "9", found[1]) + (found[2] or "")
    plain = re.sub(r"\d+", "9", value) if (dot := value.find(".")) < 0 else "9." + re.sub(r"\d", "9", value[dot + 1 :])
    plain = plain.lstrip("-")
    return plain if isinstance(value, _Number) else f'"{plain}"'
