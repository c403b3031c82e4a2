"""Whether an order that is shown is the one that was sent: the fields that documents name, each compared as what it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.coercion import id_text
from conformance.contract.instants import is_shown_as, parse_local, read_instant
from conformance.contract.jsontext import dumps
from conformance.contract.money import to_the_cent
from conformance.i18n.messages import mark

_DATES: Final = frozenset(
    {"createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate", "expectedDate"}
)
_NUMBERS: Final[Mapping[str, Callable[[int | Decimal], Decimal]]] = {
    "totalGrossValue": to_the_cent,
    "value": to_the_cent,
    # As exact as what a server keeps in a binary float.
    "percentage": lambda value: round(Decimal(value), 9),
}

_ORDER_FIELDS: Final = (
    "marketplaceCode", "channelName", "status", "accountId",
    "createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate",
    "totalGrossValue",
)  # fmt: skip
_EXTRACT_FIELDS: Final = ("marketplaceCode", "type", "value", "expectedDate", "percentage")


_KEPT_WITH_EACH: Final = ("marketplaceCode", "accountId")
"""What tells which order it is: never left out of a comparison."""

_PARTS: Final = (
    frozenset(name for name in _ORDER_FIELDS if name in _DATES),
    *(frozenset({name}) for name in _ORDER_FIELDS if name not in _DATES and name not in _KEPT_WITH_EACH),
    *(frozenset({name}) for name in _EXTRACT_FIELDS if name not in _KEPT_WITH_EACH),
)
"""The parts of an order that a server may show otherwise, each in a way of its own."""

_ALTERED_AT_MOST: Final = 2
"""So many parts an order that is shown otherwise may differ in; one that differs in more is another order."""


def differences(sent: Mapping[str, Any], shown: Any, but: Collection[str] = ()) -> list[str]:
    """In words, where the shown order differs from the sent one in other fields than `but`; nothing where it does not.

    Instants are compared as instants, to the second where the second was sent whole, and money to the cent, in whatever way
    they are printed; a field that is null may be left out and the other way round; accountId may be a number or text; more
    fields may be added; the sequence of extracts is free.
    """
    if not isinstance(shown, dict):
        return ["it showed no JSON object"]
    of_order, of_extract = (
        tuple(name for name in names if name not in but) for names in (_ORDER_FIELDS, _EXTRACT_FIELDS)
    )
    return _fields(of_order, sent, shown) + _extracts(of_extract, sent.get("extracts"), shown.get("extracts"))


def altered_fields(sent: Mapping[str, Any], shown: Any) -> frozenset[str]:
    """The fields that alone the shown order differs in, of the parts that a server may show in a way of its own; none where it
    differs in more than these."""
    but = frozenset[str]().union(*_PARTS)
    if not differences(sent, shown) or differences(sent, shown, but):
        return frozenset()
    differing = [part for part in _PARTS if differences(sent, shown, but - part)]
    found = frozenset[str]().union(*differing)
    return found if len(differing) <= _ALTERED_AT_MOST and not differences(sent, shown, found) else frozenset()


def _fields(names: tuple[str, ...], sent: Mapping[str, Any], shown: Mapping[str, Any], where: str = "") -> list[str]:
    """The fields that differ, each with what was sent and what is shown, as JSON."""
    return [
        _difference(f"{where}{name}", name, sent.get(name), shown.get(name))
        for name in names
        if not _is_same(_meaning(name, sent.get(name)), _meaning(name, shown.get(name)))
    ]


_SMALL_TIME: Final = timedelta(days=2)
_SMALL_AMOUNT: Final = Decimal(1)


def _difference(field: str, name: str, value: Any, other: Any) -> str:
    """How a field differs: by how much, where that is small; how to write an instant that is shown as none."""
    sent, shown = _json(value), _json(other)
    before, after = _meaning(name, value), _meaning(name, other)
    if isinstance(before, datetime) and isinstance(after, datetime) and abs(after - before) < _SMALL_TIME:
        by = _time_words(abs(after - before))
        return f"{field} was sent as {sent} and shown as {shown}, {'later' if after > before else 'earlier'} by {by}"
    if isinstance(before, Decimal) and isinstance(after, Decimal) and abs(after - before) < _SMALL_AMOUNT:
        by = str(abs(after - before))
        return f"{field} was sent as {sent} and shown as {shown}, {'more' if after > before else 'less'} by {by}"
    if isinstance(before, datetime) and isinstance(after, tuple):
        lacks, wanted = _is_local(after[-1]), before.isoformat().replace("+00:00", "Z")
        return (
            f"{field} was sent as {sent} and shown as {shown} "
            f"({'its offset is missing' if lacks else 'that is no instant'}: write {wanted})"
        )
    return f"{field} was sent as {sent} and shown as {shown}"


def _is_local(text: object) -> bool:
    """Whether it is the JSON of a date and time of day without an offset."""
    return isinstance(text, str) and "T" in text and parse_local(text.strip('"')) is not None


def _time_words(span: timedelta) -> str:
    """0.5 s, 90 s, 3 h."""
    seconds = Decimal(span // timedelta(microseconds=1)) / 1_000_000
    return f"{seconds / 3600:f} h" if seconds and seconds % 1800 == 0 else f"{seconds:f} s"


def _meaning(name: str, value: Any) -> Hashable:
    """What a field's value stands for: an instant, an amount to the cent, a number, a text; what is none of them as JSON."""
    if value is None:
        return None
    if name in _DATES:
        instant = read_instant(value) if isinstance(value, str) else None
        return instant or ("no instant", _json(value))
    if name == "accountId" and not isinstance(value, bool):
        return id_text(value)
    if name in _NUMBERS:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return _NUMBERS[name](value) if is_number else ("no number", _json(value))
    return value if isinstance(value, str) else ("no text", _json(value))


def _is_same(sent: Hashable, shown: Hashable) -> bool:
    if isinstance(sent, datetime) and isinstance(shown, datetime):
        return is_shown_as(sent, shown)
    return sent == shown


_Extract = tuple[Hashable, ...]


def _extracts(names: tuple[str, ...], sent: Any, shown: Any) -> list[str]:
    if not isinstance(shown, list):
        return [] if not sent and shown is None else ["it showed no array of extracts"]
    if not all(isinstance(extract, dict) for extract in shown):
        return ["it showed an extract that is no JSON object"]
    missing, added = _unmatched(names, sent or [], shown)
    found = []
    for place in missing:
        extract = sent[place]
        # What differs least is most likely the same extract, altered.
        nearest = min(added, key=lambda other: len(_fields(names, extract, shown[other])), default=None)
        if nearest is None:
            found.append(f"extracts[{place}] ({_told(extract)}) was not shown")
        else:
            added.remove(nearest)
            found += _fields(names, extract, shown[nearest], f"extracts[{place}].")
    return found + [f"an extract was shown that was not sent: {_told(shown[place])}" for place in added]


def _unmatched(names: tuple[str, ...], sent: list[Any], shown: list[Any]) -> tuple[list[int], list[int]]:
    """The places of the extracts that were sent and not shown, and of those that were shown and not sent."""
    left, missing = _by_date(names, shown), []
    for place, meaning in _by_date(names, sent):
        same = next((n for n, (_, other) in enumerate(left) if all(map(_is_same, meaning, other))), None)
        if same is None:
            missing.append(place)
        else:
            del left[same]
    return sorted(missing), sorted(place for place, _ in left)


def _by_date(names: tuple[str, ...], extracts: list[Any]) -> list[tuple[int, _Extract]]:
    """Each extract's place and meaning, by expectedDate: dates that are cut or rounded stay in the order in which they were,
    so that taking the first that fits never takes what only a later one fits."""
    meant = [
        (place, tuple(_meaning(name, extract.get(name)) for name in names)) for place, extract in enumerate(extracts)
    ]
    first = datetime.min.replace(tzinfo=UTC)
    return sorted(meant, key=lambda one: next((part for part in one[1] if isinstance(part, datetime)), first))


def _told(extract: Mapping[str, Any]) -> str:
    return f"{extract.get('type')} {_json(extract.get('value'))}"


def _json(value: Any) -> str:
    return mark("nothing") if value is None else dumps(value)
