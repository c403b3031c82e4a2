"""The edits that faults are made of: each changes a lawful call in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import EXTRACT_TYPES
from strategies.calls import LEFT_OUT, Call, Edit, Path, Rendered, place_of
from strategies.dates import FIELDS as DATE_FIELDS
from strategies.dates import moved, printed
from strategies.holes import CODE, OTHER_CODE, Hole
from strategies.money import AMOUNTS, CENT
from strategies.orders import STATUSES
from strategies.scope import Place, Scope

Draw = Callable[[DrawFn, Call, Scope], Edit]

ABOUT_ORDERS: Final = (Endpoint.SUBMIT_ORDER, Endpoint.GET_ORDER, Endpoint.DELETE_ORDER)
OF_BATCHES: Final = (Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE)


def _holder(call: Call) -> str:
    """Where a call names its account: in the query of a lookup, else in the body."""
    return "query" if call.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER} else "body"


def setting(path: Path, value: Any) -> Draw:
    """Set the place to a value."""
    return lambda draw, call, scope: Edit(path, value)  # noqa: ARG005


def drawing(path: Path, values: st.SearchStrategy[Any]) -> Draw:
    """Set the place to a drawn value."""
    return lambda draw, call, scope: Edit(path, draw(values))  # noqa: ARG005


def named(path: Path, values: Mapping[str, Any]) -> dict[str, Draw]:
    """For each name an edit that sets the place to the value of that name."""
    return {name: setting(path, value) for name, value in values.items()}


# -- accounts ------------------------------------------------------------------------------------------------------

_NO_ACCOUNTS: Final = st.integers(1_900_000_000, 2_147_483_647)
"""So far up that no account is there yet, and within what a 32-bit integer holds."""


def _in_holder(field: str, value: Any) -> Draw:
    def draw_edit(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        return Edit((_holder(call), field), value)

    return draw_edit


def _account_edit(call: Call, account: int) -> Edit:
    holder = _holder(call)
    form = type(getattr(call, holder)["accountId"])
    return Edit((holder, "accountId"), form(account))


def _unknown_account(draw: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
    return _account_edit(call, draw(_NO_ACCOUNTS))


UNKNOWN_ACCOUNT: Final[dict[str, Draw]] = {"a number that no account has": _unknown_account}


def _unknown_channel(draw: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
    suffix = draw(st.text("ABCDEFGHIJÇÃ_0123456789", min_size=1, max_size=12))
    return Edit((_holder(call), "channelName"), f"NO_SUCH_CHANNEL_{suffix}")


UNKNOWN_CHANNEL: Final[dict[str, Draw]] = {
    "the documented example": _in_holder("channelName", "invalid_channel"),
    "a name that no channel has": _unknown_channel,
}


def at_fixture(name: str, kind: Callable[..., Any]) -> Any:
    """The kind of fault that sends the order of a good account to the fixture's account."""

    def draw_edit(_: DrawFn, call: Call, scope: Scope) -> Edit:
        fixture = scope.fixtures[name]
        edit = _account_edit(call, fixture.account)
        if place_of(call).channel == fixture.channel:
            return edit
        return Edit(edit.path, edit.value, (((_holder(call), "channelName"), fixture.channel),))

    def places(scope: Scope) -> tuple[Place, ...]:
        fixture = scope.fixtures.get(name)
        return () if fixture is None else scope.on(channel=fixture.channel) or scope.places

    return kind(name=name, draw=draw_edit, places=places, field="accountId")


def at_other_channel(kind: Callable[..., Any]) -> Any:
    """The kind of fault that names a channel on which the account is not authorised."""
    name = "unauthorised_channel"

    def draw_edit(_: DrawFn, call: Call, scope: Scope) -> Edit:
        return Edit((_holder(call), "channelName"), scope.fixtures[name].channel)

    def places(scope: Scope) -> tuple[Place, ...]:
        fixture = scope.fixtures.get(name)
        return () if fixture is None else scope.on(account=fixture.account)

    return kind(name=name, draw=draw_edit, places=places, field="channelName")


# -- orders: status and dates --------------------------------------------------------------------------------------

OTHER_STATUS: Final = {
    **named(("body", "status"), {"other spelling": "CANCELLED", "lower case": "invoiced", "more": "INVOICED_X"}),
    **named(("body", "status"), {"before": "APPROVED", "after": "DELIVERED"}),
    "earlier in an order's life": drawing(
        ("body", "status"), st.sampled_from(["APPROVED", "CREATED", "PENDING", "PAID", "WAITING_PAYMENT"])
    ),
    "other than the four, later in its life": drawing(
        ("body", "status"), st.sampled_from(["DELIVERED", "SHIPPED", "RETURNED"])
    ),
    **named(("body", "status"), {"left out": LEFT_OUT, "null": None, "empty": ""}),
    "unknown": drawing(("body", "status"), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1).map("X_".__add__)),
}


def missing(field: str, *, empty: bool = False) -> dict[str, Draw]:
    """Leave a field of the body out, or make it null (or, where that names nothing either, empty)."""
    values = {"left out": LEFT_OUT, "null": None} | ({"empty": ""} if empty else {})
    return named(("body", field), values)


def out_of_order(earlier: str, later: str) -> dict[str, Draw]:
    """Move the earlier date past the later one: by a second, by days, and so that the texts look in order. No document says
    how much of a second a server keeps."""

    def past(gap: timedelta) -> Draw:
        def draw_edit(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
            return Edit(("body", earlier), moved(call.body[later], gap))

        return draw_edit

    def by_some_time(draw: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        return Edit(("body", earlier), moved(call.body[later], timedelta(days=draw(st.integers(1, 400)))))

    def in_order_as_text(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        instant = datetime.fromisoformat(call.body[later]) + timedelta(minutes=30)
        return Edit(("body", earlier), printed(instant, -11 * 60))

    return {
        "by a second": past(timedelta(seconds=1)),
        "by days": by_some_time,
        "by half an hour, earlier as text": in_order_as_text,
    }


MALFORMED_DATES: Final = {
    "no date": "yesterday",
    "an impossible day": "2025-02-30T12:00:00Z",
    "an impossible month": "2025-13-01T12:00:00Z",
    "an impossible hour": "2025-05-09T25:00:00Z",
    "day first": "09/05/2025 12:00:00",
    "empty": "",
}


STATUSES_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "deliveryDate": ("PAID_WAITING_DELIVERY", "CONCLUDED"),
    "cancelDate": ("CANCELED",),
}
"""The statuses of orders that may have a date; any status for those that are not listed."""

_MALFORMED: Final = (
    ("createdDate", "no date", STATUSES),
    ("estimatedDeliveryDate", "empty", ("INVOICED",)),  # where it is demanded, an empty one would be refused as missing
    ("cancelDate", "no date", ("CONCLUDED",)),  # a date that the status does not take is to be a date all the same
    ("sendDate", "an impossible month", ("INVOICED",)),
    ("deliveryDate", "day first", ("PAID_WAITING_DELIVERY", "CONCLUDED")),
    ("cancelDate", "an impossible day", ("CANCELED",)),
    ("cancelDate", "empty", ("CANCELED",)),
    ("approvedDate", "an impossible day", STATUSES),
    ("estimatedDeliveryDate", "an impossible hour", ("PAID_WAITING_DELIVERY", "CONCLUDED")),
)

MALFORMED_DATE: Final = {
    f"{how} for {field}": (setting(("body", field), MALFORMED_DATES[how]), statuses)
    for field, how, statuses in _MALFORMED
}
"""Each way to be malformed in another of the dates, with the statuses that the order may have."""

# -- orders: extracts ----------------------------------------------------------------------------------------------


def position(items: list[Any], type_: str | None, turn: int) -> int:
    """The place of one item (of that type, where one is given): the last in one turn, the first in the other, since a server
    that looks at one of them only is as common as one that does not look."""
    places = [n for n, item in enumerate(items) if type_ in {None, item["type"]}]
    return places[-1 if turn % 2 == 0 else 0]


def _in_extract(field: str, value: Any, type_: str | None = None, turn: int = 0) -> Draw:
    """Set a field of one extract (of that type, where one is given)."""

    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        drawn = draw(value) if isinstance(value, st.SearchStrategy) else value
        return Edit(("body", "extracts", position(call.body["extracts"], type_, turn), field), drawn)

    return draw_edit


def in_one_extract(field: str, values: Mapping[str, Any], type_: str | None = None) -> dict[str, Draw]:
    """For each name an edit that sets the field of one extract to the value of that name."""
    return {name: _in_extract(field, value, type_, turn) for turn, (name, value) in enumerate(values.items())}


MALFORMED_EXPECTED_DATE: Final = in_one_extract("expectedDate", MALFORMED_DATES)


def _type_of_another_document(draw: DrawFn, call: Call, scope: Scope) -> Edit:
    others = [name for name in EXTRACT_TYPES["portal"] if name not in scope.extract_types] or ["FREIGHT"]
    return _in_extract("type", draw(st.sampled_from(others)))(draw, call, scope)


OTHER_EXTRACT_TYPE: Final = {
    **in_one_extract(
        "type",
        {
            "lower case": "sale",
            "other spelling": "COMMISSION",
            "left out": LEFT_OUT,
            "empty": "",
            "null": None,
            "unknown": st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1).map("X_".__add__),
        },
    ),
    "of another document": _type_of_another_document,
}


def not_positive(type_: str) -> dict[str, Draw]:
    """Values that are not positive."""
    return in_one_extract(
        "value", {"zero": 0, "minus one cent": -CENT, "negative": AMOUNTS.map(lambda amount: -amount)}, type_
    )


def not_negative(type_: str) -> dict[str, Draw]:
    """Values that are not negative."""
    return in_one_extract("value", {"zero": Decimal("0.00"), "one cent": CENT, "positive": AMOUNTS}, type_)


OTHER_CODE_INSIDE: Final = in_one_extract(
    "marketplaceCode",
    {
        "another order's": OTHER_CODE,
        "one character more": Hole(CODE.name, lambda code: code + "1", "one character more"),
        "left out": LEFT_OUT,
        "one character less": Hole(CODE.name, lambda code: code[:-1], "one character less"),
        "null": None,
        "empty": "",
    },
)

CODE_IN_OTHER_CASE: Final = in_one_extract(
    "marketplaceCode", {"in lower case": Hole(CODE.name, str.lower, "in lower case")}
)

WITH_LETTERS: Final = ("magalu", "long", "b2w")
"""Shapes of codes that have capital letters."""

MISSING_VALUE: Final = in_one_extract("value", {"left out": LEFT_OUT})

_OTHER_THAN_NUMBER: Final = {"a string": "203.63", "a boolean": True, "an object": {}, "an array": []}

VALUE_OF_OTHER_TYPE: Final = in_one_extract("value", {"null": None, **_OTHER_THAN_NUMBER})

PERCENTAGE_OF_OTHER_TYPE: Final = in_one_extract("percentage", _OTHER_THAN_NUMBER)


def _extract_no_object(value: Any) -> Draw:
    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        places = [*reversed(range(len(call.body["extracts"])))]
        return Edit(("body", "extracts", draw(st.sampled_from(places))), value)

    return draw_edit


EXTRACT_NO_OBJECT: Final = {
    name: _extract_no_object(value) for name, value in {"a string": "SALE", "null": None, "a number": 203}.items()
}

NO_EXTRACTS: Final = named(("body", "extracts"), {"an empty array": [], "left out": LEFT_OUT, "null": None})

# -- orders: shape -------------------------------------------------------------------------------------------------

_OTHER_THAN_STRING: Final = {"a number": 7, "a boolean": True, "an object": {}, "an array": ["INVOICED"]}
_OTHER_THAN_DATE: Final = {"a number": 1_746_792_000, "a boolean": True, "an object": {}, "an array": []}
_OTHER_THAN_ARRAY: Final = {"an object": {}, "a string": "SALE", "a number": 1}
_OTHER_THAN_ID: Final[Mapping[str, Any]] = {"a boolean": True, "an object": {}, "an array": [19055]}

_OTHER_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "marketplaceCode": _OTHER_THAN_STRING,
    "channelName": _OTHER_THAN_STRING,
    "accountId": _OTHER_THAN_ID,
    "status": _OTHER_THAN_STRING,
    **dict.fromkeys(DATE_FIELDS, _OTHER_THAN_DATE),
    "totalGrossValue": _OTHER_THAN_NUMBER,
    "extracts": _OTHER_THAN_ARRAY,
}

TYPED_FIELDS: Final = tuple(
    (field, (field,) if field in DATE_FIELDS else (), STATUSES_WITH.get(field, STATUSES)) for field in _OTHER_TYPES
)
"""Every field of an order whose JSON type is known, with the dates and statuses that it takes to have it."""


def of_other_type(field: str) -> dict[str, Draw]:
    """Give a field of the body another JSON type."""
    draws = {"marketplaceCode": _code_everywhere, "accountId": _no_account_id, "extracts": _no_array}
    return draws[field]() if field in draws else named(("body", field), _OTHER_TYPES[field])


def _at_every_level(value: Any) -> Draw:
    """The order's code and those of its extracts: else theirs would not be the order's."""

    def draw_edit(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        extracts = range(len(call.body["extracts"]))
        also = tuple((("body", "extracts", number, "marketplaceCode"), value) for number in extracts)
        return Edit(("body", "marketplaceCode"), value, also)

    return draw_edit


def _code_everywhere() -> dict[str, Draw]:
    first, *others = _OTHER_TYPES["marketplaceCode"].items()
    return {
        f"{first[0]}, in the extracts too": _at_every_level(first[1]),
        **named(("body", "marketplaceCode"), dict(others)),
    }


MISSING_CODE: Final = {
    "left out, in the extracts too": _at_every_level(LEFT_OUT),
    "empty, in the extracts too": _at_every_level(""),
    **missing("marketplaceCode"),
}


def _no_array() -> dict[str, Draw]:
    def one_alone(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        return Edit(("body", "extracts"), call.body["extracts"][0])

    return {"one extract alone": one_alone, **named(("body", "extracts"), _OTHER_TYPES["extracts"])}


def _no_account_id() -> dict[str, Draw]:
    def with_letters(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        return Edit(("body", "accountId"), f"{call.body['accountId']}abc")

    def with_a_fraction(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
        return Edit(("body", "accountId"), Decimal(f"{call.body['accountId']}.9"))

    return {
        "with letters after it": with_letters,
        "with a fraction": with_a_fraction,
        **named(("body", "accountId"), _OTHER_TYPES["accountId"]),
    }


def account_in_other_form(_: DrawFn, call: Call, scope: Scope) -> Edit:  # noqa: ARG001
    """accountId as a string where the reading is `integer`, and the other way round."""
    given = call.body["accountId"]
    return Edit(("body", "accountId"), str(given) if isinstance(given, int) else int(given))


def places_with_one_form(scope: Scope) -> tuple[Place, ...]:
    """All places where the reading leaves accountId one form, else none."""
    return scope.places if len(scope.account_id_forms) == 1 else ()


NO_OBJECT: Final = {
    name: setting(("body",), Rendered(name, change))
    for name, change in {
        "an array of it": lambda text: b"[" + text + b"]",
        "null": lambda _: b"null",
        "empty": lambda _: b"",
        "not JSON": lambda _: b"marketplaceCode=701-2798273-4005859",
        "something after it": lambda text: text + b" x",
        "cut short": lambda text: text[: len(text) // 2],
        "a string": lambda _: b'"INVOICED"',
        "a number": lambda _: b"203.63",
    }.items()
}

# -- lookups -------------------------------------------------------------------------------------------------------

_CODE_ASKED: Final[Path] = ("query", "marketplaceCode")

UNKNOWN_CODE: Final = setting(_CODE_ASKED, OTHER_CODE)

NEARLY_THE_CODE: Final = named(
    _CODE_ASKED,
    {
        "one character more": Hole(CODE.name, lambda code: code + "1", "one character more"),
        "one character less": Hole(CODE.name, lambda code: code[:-1], "one character less"),
        "a wildcard": Hole(CODE.name, lambda code: code[:-2] + "%", "ending in %"),
    },
)


def _almost(change: Callable[[str], str], how: str, *shapes: str) -> tuple[Draw, tuple[str, ...]]:
    return setting(_CODE_ASKED, Hole(CODE.name, change, how)), shapes


ALMOST_THE_CODE: Final = {
    "in lower case": _almost(str.lower, "in lower case", *WITH_LETTERS),
    "without its symbols": _almost(
        lambda code: "".join(filter(str.isalnum, code)), "without symbols", "amazon", "magalu", "storefront"
    ),
    "with a zero before": _almost(lambda code: "0" + code, "with a zero before", "via", "mercado-livre"),
    "a long one, other at the end": _almost(lambda code: code[:-1] + "Z", "ending in Z", "long"),
}
"""Codes that a careless comparison takes for the order's, and the shapes of codes for which they are others."""


def on_neighbouring_account(kind: Callable[..., Any]) -> Any:
    """The kind of fault that asks for the order on another account of the same channel."""

    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:
        neighbours = scope.neighbours(place_of(call))
        return _account_edit(call, draw(st.sampled_from(neighbours)).account)

    def places(scope: Scope) -> tuple[Place, ...]:
        return tuple(place for place in scope.places if scope.neighbours(place))

    return kind(name="on another account", draw=draw_edit, places=places)
