"""A mock that answers as an endpoint was seen to: what a certificate holds of it, as quirks.

Readings, statuses, codes, delays and forms as they were observed; what was accepted although a rule forbids it goes unnoticed
here too, in that place and on that endpoint; of what was refused although it is lawful a defect is looked for that refuses it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from simplejson import RawJSON

from conformance.contract.instants import parse_instant, read_instant
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import DATE_FIELDS, Breach
from conformance.contract.readings import resolve
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Quirk, Variant
from conformance.mock.world import ENABLED, INTEGRATOR, Body

INSTANT, AMOUNT, ACCOUNT = "instant", "amount", "accountId"

_MADE_FOR: Final = {"accountId": ENABLED[0].id, "channelName": ENABLED[0].channel}
"""In place of the endpoint's account and channel, which the mock has not."""

_HEADERS: Final = {"integrator": INTEGRATOR, "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Broken:
    """An exchange that showed a rule broken."""

    rule: str
    finding: str
    method: str
    url: str
    body: bytes
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How an endpoint answered."""

    readings: Mapping[str, str]
    accepted: Mapping[str, int]
    """The status of what was accepted, by endpoint (`POST /order`)."""
    refusals: Mapping[str, tuple[int, str | None]]
    """Status and code of refusals, by rule."""
    delays: Mapping[str, float]
    """Milliseconds, by endpoint."""
    forms: Mapping[str, str]
    """Of INSTANT, AMOUNT and ACCOUNT: a pattern as conformance/verdict/observed.py has it, or "" for as it was sent."""
    broken: Sequence[Broken]
    taken: Sequence[bytes] = ()
    """Orders that the endpoint accepted: what refuses them is not like it."""


def likeness(seen: Seen) -> tuple[list[Quirk], list[str]]:
    """The quirks of a mock that is like that, and what it does not do alike."""
    stated = {name: value for name, value in seen.readings.items() if resolve({}).get(name) != value}
    overlooked, strict, left = _breaks(seen)
    answered = Variant(
        name="like-an-endpoint",
        statement="Answers as an endpoint was seen to.",
        readings=tuple(stated.items()),
        refuses_as=seen.refusals.get,
        overlooks=lambda breach, request: (breach.rule, _endpoint(request), _member(breach)) in overlooked,
        answers=_answers(seen),
        shows=_shows(seen.forms),
    )
    return [answered, *strict], left


# -- what it gets wrong ----------------------------------------------------------------------------------------------


def _breaks(seen: Seen) -> tuple[frozenset[tuple[str, str, str]], list[Quirk], list[str]]:
    """What goes unnoticed (rule, endpoint, place), the defects that refuse alike, and what can't be done alike."""
    overlooked, strict, left = set[tuple[str, str, str]](), dict[str, Quirk](), list[str]()
    for one in seen.broken:
        request = _request(one)
        accepted = one.status // 100 == 2  # noqa: PLR2004
        breaches = [] if request is None else [each for each in _judged(request, seen) if each.rule == one.rule]
        if request is not None and accepted and breaches:
            overlooked |= {(one.rule, _endpoint(request), _member(each)) for each in breaches}
        elif request is not None and one.status // 100 == 4 and (defect := _as_strict(one, request, seen.taken)):  # noqa: PLR2004
            strict[defect.name] = defect
        elif one.rule not in seen.refusals:
            left.append(f"not done alike: {one.finding}, which {one.method} {urlsplit(one.url).path} showed")
    return frozenset(overlooked), list(strict.values()), left


def _endpoint(request: Request) -> str:
    return request.endpoint.label if request.endpoint else ""


def _member(breach: Breach) -> str:
    """Where it is, whichever of several extracts or entries that is."""
    return re.sub(r"\[\d+\]", "[]", breach.field)


def _request(one: Broken) -> Request | None:
    """The request about an account of the mock; None where it is about no account."""
    split = urlsplit(one.url)
    path = next(
        (path for path in ("/reconciliation/release", "/reconciliation", "/order") if split.path.endswith(path)), ""
    )
    request = Request(one.method, path, dict(parse_qsl(split.query, keep_blank_values=True)), body=one.body)
    if not path:
        return None
    headers = {**_HEADERS}
    if request.fields:
        return Request(one.method, path, headers=headers, body=_about_ours(one.body).body)
    query = {**request.query, **{name: str(value) for name, value in _MADE_FOR.items() if name in request.query}}
    return Request(one.method, path, query, headers, one.body)


def _about_ours(body: bytes) -> Request:
    """An order, or another body, about an account of the mock."""
    request = Request("POST", "/order", headers=_HEADERS, body=body)
    kept = {name: value for name, value in _MADE_FOR.items() if isinstance(request.fields.get(name), str | int)}
    if isinstance(request.fields.get("accountId"), str):
        kept["accountId"] = str(ENABLED[0].id)
    return Request("POST", "/order", headers=_HEADERS, body=dumps({**request.fields, **kept}).encode())


def _authorised(koncili: Koncili, request: Request) -> Request:
    access, _ = koncili.world.issue_tokens()
    return Request(request.method, request.path, request.query, {**request.headers, "gumgatoken": access}, request.body)


def _judged(request: Request, seen: Seen) -> list[Breach]:
    koncili = Koncili()
    return judge(_authorised(koncili, request), koncili.world, resolve(seen.readings))


def _as_strict(one: Broken, request: Request, taken: Sequence[bytes]) -> Quirk | None:
    """The defect that refuses this lawful request too, and none of those that were taken; None where there is none, or several
    of which nobody knows which it is, or where the plain mock refuses it."""
    from conformance.mock.defects import DEFECTS

    orders = [_about_ours(body) for body in taken]

    def refuses(asked: Request, *quirks: Quirk) -> bool:
        koncili = Koncili(quirks=quirks)
        return koncili.handle(_authorised(koncili, asked)).status // 100 == 4  # noqa: PLR2004

    if refuses(request):
        return None
    found = [defect for defect in DEFECTS.values() if one.rule in defect.rules and refuses(request, defect)]
    alike = [defect for defect in found if not any(refuses(order, defect) for order in orders if not refuses(order))]
    return alike[0] if (orders and alike) or len(alike) == 1 else None


# -- how it answers --------------------------------------------------------------------------------------------------


def _answers(seen: Seen) -> Callable[[Request, Answer], Answer]:
    def answers(request: Request, answer: Answer) -> Answer:
        label = _endpoint(request)
        time.sleep(seen.delays.get(label, 0) / 1000)
        status = seen.accepted.get(label)
        if answer.status // 100 != 2 or status is None:  # noqa: PLR2004
            return answer
        return Answer(status) if status == 204 else answer.having(status=status)  # noqa: PLR2004 - no content

    return answers


def _shows(forms: Mapping[str, str]) -> Callable[[Body], Body]:
    changes = [make(form) for kind, make in _FORMS.items() if (form := forms.get(kind))]

    def shows(order: Body) -> Body:
        for change in changes:
            order = change(order)
        return order

    return shows


def _instants(form: str) -> Callable[[Body], Body]:
    """Instants in the offset and with the digits of a pattern such as `9999-99-99T99:99:99.999-03:00`."""
    offset = re.search(r"([Zz]|[+-]\d\d:?\d\d)$", form)
    digits = len(found[1]) if (found := re.search(r"[.,](9+)", form)) else 0
    shown = "" if offset is None else offset[1]
    here = read_instant(f"2000-01-01T00:00:00{shown or 'Z'}")
    zone = timezone((here.utcoffset() if here else None) or timedelta())

    def printed(value: Any) -> Any:
        instant = parse_instant(value) if isinstance(value, str) else None
        if instant is None:
            return value
        local = instant.astimezone(zone)
        fraction = f".{local.microsecond:06d}000"[: digits + 1] if digits else ""
        return f"{local:%Y-%m-%d}{form[10:11]}{local:%H:%M:%S}{fraction}{shown}"

    return lambda order: {name: printed(value) if name in DATE_FIELDS else value for name, value in order.items()}


def _amounts(form: str) -> Callable[[Body], Body]:
    """Amounts with the decimals of a pattern such as `9.99`, as texts where it has quotes."""
    plain = form.strip('"')
    decimals = len(plain.partition(".")[2]) if re.fullmatch(r"9(\.9+)?", plain) else None

    def printed(value: Any) -> Any:
        if decimals is None or isinstance(value, bool) or not isinstance(value, int | Decimal):
            return value
        text = f"{Decimal(value):.{decimals}f}"
        return text if form != plain else RawJSON(text)

    def shows(order: Body) -> Body:
        extracts = [{**one, "value": printed(one.get("value"))} for one in order.get("extracts") or ()]
        total = {"totalGrossValue": printed(order["totalGrossValue"])} if "totalGrossValue" in order else {}
        return {**order, **total, "extracts": extracts}

    return shows


def _accounts(form: str) -> Callable[[Body], Body]:
    as_text = form.startswith('"')
    return lambda order: {
        name: (str(value) if as_text else int(value)) if name == "accountId" else value for name, value in order.items()
    }


_FORMS: Final[Mapping[str, Callable[[str], Callable[[Body], Body]]]] = {
    INSTANT: _instants,
    AMOUNT: _amounts,
    ACCOUNT: _accounts,
}
