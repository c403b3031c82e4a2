"""The edits that faults are made of: each changes a lawful call in one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from strategies.calls import LEFT_OUT, Call, Edit, Path, Rendered, place_of
from strategies.dates import moved
from strategies.money import CENT, LARGE_AMOUNTS
from strategies.placeholders import CODE, OTHER_CODE, Placeholder
from strategies.scope import Place, Scope

Draw = Callable[[DrawFn, Call, Scope], Edit]

ABOUT_ORDERS: Final = (Endpoint.SUBMIT_ORDER, Endpoint.GET_ORDER, Endpoint.DELETE_ORDER)
OF_BATCHES: Final = (Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE)


def _holder(call: Call) -> str:
    """Where a call names its account: in the query of a lookup, else in the body."""
    return "query" if call.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER} else "body"


def setting(path: Path, value: Any) -> Draw:
    """Set the place to a value."""
    return lambda _draw, _call, _scope: Edit(path, value)


def drawing(path: Path, values: st.SearchStrategy[Any]) -> Draw:
    """Set the place to a drawn value."""
    return lambda draw, _call, _scope: Edit(path, draw(values))


def named(path: Path, values: Mapping[str, Any]) -> dict[str, Draw]:
    """For each name an edit that sets the place to the value of that name."""
    return {name: setting(path, value) for name, value in values.items()}


# -- accounts ------------------------------------------------------------------------------------------------------

_NO_ACCOUNTS: Final = st.integers(1_900_000_000, 2_147_483_647)
"""So far up that no account is there yet, and within what a 32-bit integer holds."""


def _in_holder(field: str, value: Any) -> Draw:
    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit((_holder(call), field), value)

    return draw_edit


def _account_edit(call: Call, account: int) -> Edit:
    holder = _holder(call)
    form = type(getattr(call, holder)["accountId"])
    return Edit((holder, "accountId"), form(account))


def _unknown_account(draw: DrawFn, call: Call, _scope: Scope) -> Edit:
    return _account_edit(call, draw(_NO_ACCOUNTS))


UNKNOWN_ACCOUNT: Final[dict[str, Draw]] = {"a number that no account has": _unknown_account}


def _unknown_channel(draw: DrawFn, call: Call, _scope: Scope) -> Edit:
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
    **named(("body", "status"), {"lower case": "invoiced", "more": "INVOICED_X", "a blank after it": "INVOICED "}),
    **named(("body", "status"), {"before": "APPROVED", "after": "DELIVERED", "an ordinal as text": "0"}),
    "earlier in an order's life": drawing(
        ("body", "status"), st.sampled_from(["APPROVED", "CREATED", "PENDING", "PAID", "WAITING_PAYMENT"])
    ),
    "other than the four, later in its life": drawing(
        ("body", "status"), st.sampled_from(["DELIVERED", "SHIPPED", "RETURNED"])
    ),
    **named(("body", "status"), {"left out": LEFT_OUT, "null": None, "empty": ""}),
    "unknown": drawing(("body", "status"), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1).map("X_".__add__)),
    # Whichever of a list is taken is the one that it was.
    "a list of it": lambda _draw, call, _scope: Edit(("body", "status"), ", ".join([call.body["status"]] * 2)),
}


MISSPELT_STATUS: Final = named(("body", "status"), {"other spelling": "CANCELLED"})
"""Of a cancelled order: whoever takes it for CANCELED finds its cancelDate."""

HYPHENATED_STATUS: Final = named(("body", "status"), {"hyphens in it": "PAID-WAITING-DELIVERY"})
"""Of an order that waits for delivery, for the same reason."""


def missing(field: str, *, empty: bool = False) -> dict[str, Draw]:
    """Leave a field of the body out, or make it null (or, where that names nothing either, empty)."""
    values = {"left out": LEFT_OUT, "null": None} | ({"empty": ""} if empty else {})
    return named(("body", field), values)


def out_of_order(earlier: str, later: str) -> dict[str, Draw]:
    """Move the later date before the earlier one: by a second, by days, and so that the texts look in order. No document says
    how much of a second a server keeps; and moved the other way round the date would pass others, too."""

    def before(gap: timedelta, offset_minutes: int | None = None) -> Draw:
        def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
            return Edit(("body", later), moved(call.body[earlier], -gap, offset_minutes))

        return draw_edit

    def by_some_time(draw: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", later), moved(call.body[earlier], -timedelta(days=draw(st.integers(1, 400)))))

    return {
        "by a second": before(timedelta(seconds=1)),
        "by days": by_some_time,
        "by half an hour, later as text": before(timedelta(minutes=30), 13 * 60),
    }


STATUSES_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "deliveryDate": ("PAID_WAITING_DELIVERY", "CONCLUDED"),
    "cancelDate": ("CANCELED",),
}
"""The statuses of orders that may have a date; any status for those that are not listed."""

# -- orders: extracts ----------------------------------------------------------------------------------------------


MANY: Final = 10
"""So many items have some that a server which looks at the first few does not see."""


def position(items: list[Any], type_: str | None, turn: int) -> int:
    """The place of one item (of that type, where one is given): the last in one turn, the first in the other, since a server
    that looks at one of them only is as common as one that does not look. The last in any case where there are many."""
    places = [n for n, item in enumerate(items) if type_ in {None, item["type"]}]
    return places[-1 if turn % 2 == 0 or len(items) >= MANY else 0]


def _in_extract(field: str, value: Any, type_: str | None = None, turn: int = 0) -> Draw:
    """Set a field of one extract (of that type, where one is given)."""

    def draw_edit(draw: DrawFn, call: Call, _scope: Scope) -> Edit:
        drawn = draw(value) if isinstance(value, st.SearchStrategy) else value
        return Edit(("body", "extracts", position(call.body["extracts"], type_, turn), field), drawn)

    return draw_edit


def in_one_extract(field: str, values: Mapping[str, Any], type_: str | None = None) -> dict[str, Draw]:
    """For each name an edit that sets the field of one extract to the value of that name."""
    return {name: _in_extract(field, value, type_, turn) for turn, (name, value) in enumerate(values.items())}


OTHER_EXTRACT_TYPE: Final = {
    # Each in the extract whose value whoever takes it would take, too.
    "lower case": _in_extract("type", "sale", "SALE"),
    "other spelling": _in_extract("type", "COMMISSION", "COMISSION", turn=1),
    "a blank after it": _in_extract("type", "SALE ", "SALE"),
    # In S1's sequence and in S2's it is COMISSION or SHIP.
    "an ordinal": _in_extract("type", 1, "COMISSION"),
    **in_one_extract(
        "type",
        {
            "left out": LEFT_OUT,
            "empty": "",
            "null": None,
            "unknown": st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1).map("X_".__add__),
        },
    ),
    "an ordinal as text": _in_extract("type", "1", "COMISSION", turn=1),
    "a list of it": _in_extract("type", "SALE, SALE", "SALE"),
}

_TAKES_THE_SAME: Final = {
    "RETURN_SALE": "COMISSION",
    "ADJUSTMENT": "SHIP",
    "RETURN_COMISSION": "SALE",
    "RETURN_SHIP": "SHIP",
}
"""Of each type that another document names, one that takes values of the same sign."""


def types_of_other_documents(kind: Callable[..., Any], **needs: Any) -> tuple[Any, ...]:
    """The kinds of fault that give one extract a type which the reading leaves out, each where it does."""

    def places_without(type_: str) -> Callable[[Scope], tuple[Place, ...]]:
        return lambda scope: () if type_ in scope.extract_types else scope.places

    return tuple(
        kind(
            name=type_,
            draw=_in_extract("type", type_, like, turn),
            places=places_without(type_),
            field="type",
            **needs,
        )
        for turn, (type_, like) in enumerate(_TAKES_THE_SAME.items())
    )


def not_positive(type_: str) -> dict[str, Draw]:
    """Values that are not positive."""
    return in_one_extract(
        "value",
        {"zero": 0, "minus one cent": -CENT, "negative and large": LARGE_AMOUNTS.map(lambda amount: -amount)},
        type_,
    )


def not_negative(type_: str) -> dict[str, Draw]:
    """Values that are not negative."""
    return in_one_extract(
        "value", {"zero": Decimal("0.00"), "one cent": CENT, "positive and large": LARGE_AMOUNTS}, type_
    )


OTHER_CODE_INSIDE: Final = in_one_extract(
    "marketplaceCode",
    {
        "another order's": OTHER_CODE,
        "one character more": Placeholder(CODE.name, lambda code: code + "1", "one character more"),
        "left out": LEFT_OUT,
        "one character less": Placeholder(CODE.name, lambda code: code[:-1], "one character less"),
        "null": None,
        "empty": "",
        "with a blank after it": Placeholder(CODE.name, lambda code: code + " ", "with a blank after it"),
    },
)

CODE_IN_OTHER_CASE: Final = in_one_extract(
    "marketplaceCode", {"in lower case": Placeholder(CODE.name, str.lower, "in lower case")}
)

CODE_OF_THE_SAME_NUMBER: Final = {
    "with a zero before it": _in_extract(
        "marketplaceCode", Placeholder(CODE.name, lambda code: "0" + code, "with a zero before it"), turn=1
    )
}

OF_DIGITS: Final = ("via", "mercado-livre")
"""Shapes of codes that are numbers: whoever compares them as such takes one with a zero before it for the same."""

WITH_LETTERS: Final = ("magalu", "long", "b2w")
"""Shapes of codes that have capital letters."""

MISSING_VALUE: Final = in_one_extract("value", {"left out": LEFT_OUT}, "SHIP")
"""Of an extract that may have any sign: whoever takes nothing for zero finds it in order."""


def as_text(value: Any) -> str:
    """A number as text: whoever takes it takes it at its value."""
    return str(value)


NO_EXTRACTS: Final = named(("body", "extracts"), {"an empty array": [], "left out": LEFT_OUT, "null": None})

# -- orders: codes -------------------------------------------------------------------------------------------------


def at_every_level(value: Any) -> Draw:
    """The order's code and those of its extracts: else theirs would not be the order's."""

    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        extracts = range(len(call.body["extracts"]))
        also = tuple((("body", "extracts", number, "marketplaceCode"), value) for number in extracts)
        return Edit(("body", "marketplaceCode"), value, also)

    return draw_edit


MISSING_CODE: Final = {
    **missing("marketplaceCode", empty=True),
    "left out, in the extracts too": at_every_level(LEFT_OUT),
    "empty, in the extracts too": at_every_level(""),
}


NO_OBJECT: Final = {
    name: setting(("body",), Rendered(name, change))
    for name, change in {
        "an array of it": lambda text: b"[" + text + b"]",
        "null": lambda _: b"null",
        "empty": lambda _: b"",
        "not JSON": lambda _: b"marketplaceCode=701-2798273-4005859",
        "cut short": lambda text: text[: len(text) // 2],
        # The object as JSON within JSON, which whoever reads a text once more takes for it.
        "a string": lambda text: json.dumps(text.decode()).encode(),
        "a number": lambda _: b"203.63",
    }.items()
}

# -- lookups -------------------------------------------------------------------------------------------------------

_CODE_ASKED: Final[Path] = ("query", "marketplaceCode")

UNKNOWN_CODE: Final = setting(_CODE_ASKED, OTHER_CODE)

NEARLY_THE_CODE: Final = named(
    _CODE_ASKED,
    {
        "one character more": Placeholder(CODE.name, lambda code: code + "1", "one character more"),
        "one character less": Placeholder(CODE.name, lambda code: code[:-1], "one character less"),
    },
)
"""Codes that are told from the order's by a comparison that looks at the beginning or at a part alone. Those that a collation or
a number takes for the same are QRY-05's."""


def on_neighbouring_account(kind: Callable[..., Any]) -> Any:
    """The kind of fault that asks for the order on another account of the same channel."""

    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:
        neighbours = scope.neighbours(place_of(call))
        return _account_edit(call, draw(st.sampled_from(neighbours)).account)

    def places(scope: Scope) -> tuple[Place, ...]:
        return tuple(place for place in scope.places if scope.neighbours(place))

    return kind(name="on another account", draw=draw_edit, places=places)
