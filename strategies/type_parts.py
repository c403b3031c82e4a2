"""The edits that give a field of an order another JSON type: often its own value in another form, in which somebody takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from strategies.calls import Call, Edit
from strategies.dates import FIELDS as DATE_FIELDS
from strategies.fault_parts import (
    STATUSES_WITH,
    Draw,
    as_text,
    at_every_level,
    in_one_extract,
    position,
    setting,
)
from strategies.orders import STATUSES
from strategies.scope import Place, Scope

_NO_NUMBERS: Final = {"a boolean": True, "an object": {}, "an array": []}


def _own_value(change: Callable[[Any], Any], turn: int, type_: str | None = None) -> Draw:
    """The value of one extract (of that type, where one is given), changed."""

    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        place = position(call.body["extracts"], type_, turn)
        return Edit(("body", "extracts", place, "value"), change(call.body["extracts"][place]["value"]))

    return draw_edit


NUMBERS_AS_TEXT: Final = {
    "value": _own_value(as_text, 0),
    "totalGrossValue": lambda _, call, _scope: Edit(("body", "totalGrossValue"), as_text(call.body["totalGrossValue"])),
    "percentage": in_one_extract("percentage", {"a number as text": "12.5"})["a number as text"],
}
"""By the field that they are in."""


NO_NUMBER_AS_TEXT: Final = {
    # Whoever reads no more than its beginning finds the number, and whoever finds none takes it for nothing.
    "value, a number and a word": _own_value(lambda value: f"{as_text(value)} BRL", 0, "SHIP")
}


def places_without_coercion(scope: Scope) -> tuple[Place, ...]:
    """All places where a number that is written as text is malformed, else none."""
    return scope.places if scope.readings["scalar-coercion"] == "rejected" else ()


VALUE_OF_OTHER_TYPE: Final = {
    "a list of it": _own_value(lambda value: [value], 1),
    # Of one that may have any sign: to some they are zero, or one.
    **in_one_extract("value", {"null": None, "a boolean": True, "an object": {}, "an array": []}, "SHIP"),
}

PERCENTAGE_OF_OTHER_TYPE: Final = in_one_extract(
    # To some readers the one is a number, and the other nothing.
    "percentage",
    {"not a number, as text": "NaN", "a boolean": True, "empty": "", "an array": []},
)


def _extract_no_object(value: Any) -> Draw:
    def draw_edit(draw: DrawFn, call: Call, _scope: Scope) -> Edit:
        places = [*reversed(range(len(call.body["extracts"])))]
        return Edit(("body", "extracts", draw(st.sampled_from(places))), value)

    return draw_edit


EXTRACT_NO_OBJECT: Final = {
    name: _extract_no_object(value) for name, value in {"a string": "SALE", "null": None, "a number": 203}.items()
}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _seconds(text: str) -> int | Decimal:
    """An instant as seconds since 1970, its fraction too."""
    milliseconds = _milliseconds(text)
    return Decimal(milliseconds) / 1000 if milliseconds % 1000 else milliseconds // 1000


def _milliseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Own:
    """The field's own value in another form, in which somebody may take it."""

    change: Callable[[Any], Any]


_LIST_OF_IT: Final = Own(lambda value: [value])

_OTHER_THAN_STRING: Final = {"a number": 7, "a list of it": _LIST_OF_IT, "a boolean": True, "an object": {}}
_OTHER_THAN_DATE: Final = {
    "seconds since 1970": Own(_seconds),
    "a list of it": _LIST_OF_IT,
    "milliseconds since 1970": Own(_milliseconds),
    "a boolean": True,
    "an object": {},
}
_OTHER_THAN_ARRAY: Final = {
    # What PHP's decoder and Object.values make a list of.
    "an object": Own(lambda value: {str(place): one for place, one in enumerate(value)}),
    "a string": "SALE",
    "a number": 1,
}

_OTHER_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "marketplaceCode": _OTHER_THAN_STRING,
    "channelName": _OTHER_THAN_STRING,
    "accountId": {"a list of it": _LIST_OF_IT, "a boolean": True, "an object": {}},
    "status": {"an ordinal": 0, **_OTHER_THAN_STRING},
    **dict.fromkeys(DATE_FIELDS, _OTHER_THAN_DATE),
    "totalGrossValue": {
        "a list of it": _LIST_OF_IT,
        "with a decimal comma, as text": Own(lambda total: f"{total:.2f}".replace(".", ",")),
        **_NO_NUMBERS,
    },
    "extracts": _OTHER_THAN_ARRAY,
}

TYPED_FIELDS: Final = tuple(
    (field, (field,) if field in DATE_FIELDS else (), STATUSES_WITH.get(field, STATUSES)) for field in _OTHER_TYPES
)
"""Every field of an order whose JSON type is known, with the dates and statuses that it takes to have it."""


def of_other_type(field: str) -> dict[str, Draw]:
    """Give a field of the body another JSON type."""
    draws = {"marketplaceCode": _code_everywhere, "accountId": _no_account_id, "extracts": _no_array}
    return draws[field]() if field in draws else _of_body(field, _OTHER_TYPES[field])


def _of_body(field: str, values: Mapping[str, Any]) -> dict[str, Draw]:
    """For each name an edit that gives a field of the body that value, or its own in another form."""

    def own(change: Callable[[Any], Any]) -> Draw:
        def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
            return Edit(("body", field), change(call.body[field]))

        return draw_edit

    return {
        name: own(value.change) if isinstance(value, Own) else setting(("body", field), value)
        for name, value in values.items()
    }


_TAKEN_AS_TEXT: Final = frozenset({"a number", "a boolean"})


def _code_everywhere() -> dict[str, Draw]:
    values = _OTHER_TYPES["marketplaceCode"]
    alone = _of_body("marketplaceCode", values)
    # Taken as text, it would be another code than theirs.
    return {
        f"{name}, in the extracts too" if name in _TAKEN_AS_TEXT else name: at_every_level(values[name])
        if name in _TAKEN_AS_TEXT
        else draw
        for name, draw in alone.items()
    }


def _no_array() -> dict[str, Draw]:
    def one_alone(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", "extracts"), call.body["extracts"][0])

    return {"one extract alone": one_alone, **_of_body("extracts", _OTHER_TYPES["extracts"])}


def _no_account_id() -> dict[str, Draw]:
    def with_letters(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", "accountId"), f"{call.body['accountId']}abc")

    def with_a_fraction(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", "accountId"), Decimal(f"{call.body['accountId']}.9"))

    return {
        "with letters after it": with_letters,
        "with a fraction": with_a_fraction,
        **_of_body("accountId", _OTHER_TYPES["accountId"]),
    }


def account_in_other_form(_: DrawFn, call: Call, _scope: Scope) -> Edit:
    """accountId as a string where the reading is `integer`, and the other way round."""
    given = call.body["accountId"]
    return Edit(("body", "accountId"), str(given) if isinstance(given, int) else int(given))


def places_with_one_form(scope: Scope) -> tuple[Place, ...]:
    """All places where the reading leaves accountId one form, else none."""
    return scope.places if len(scope.account_id_forms) == 1 else ()
