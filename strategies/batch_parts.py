"""The edits that faults of reconciliations and releases are made of: each changes a lawful creation or release in one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.jsontext import told
from strategies.calls import LEFT_OUT, Call, Edit, Path, place_of
from strategies.fault_parts import Draw, as_text, named, position, setting
from strategies.money import CENT
from strategies.periods import EARLIER, EARLIER_SECONDS, LATEST, LONG, MONTH, at
from strategies.placeholders import CODE, NEIGHBOUR, OTHER_CODE, RECONCILIATION, Placeholder
from strategies.scope import Place, Scope

_SECOND: Final = timedelta(seconds=1)
_FOUR_YEARS: Final = timedelta(days=4 * 365 + 1)
_FAR_WEST: Final = -11 * 60
_FAR_EAST: Final = 13 * 60

INIT: Final[Path] = ("body", "periodInitDate")
END: Final[Path] = ("body", "periodEndDate")


def _length(call: Call) -> timedelta:
    assert call.batch is not None
    return timedelta(seconds=call.batch.seconds)


# -- the period ----------------------------------------------------------------------------------------------------


def _init_past_end(by: timedelta, zone: int | None = None) -> Draw:
    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(INIT, at(_length(call) + by, zone))

    return draw_edit


def _exchanged(_: DrawFn, call: Call, _scope: Scope) -> Edit:
    return Edit(INIT, call.body["periodEndDate"], ((END, call.body["periodInitDate"]),))


NOT_EARLIER: Final[dict[str, Draw]] = {
    "equal": _init_past_end(timedelta()),
    "equal, in another zone": _init_past_end(timedelta(), _FAR_EAST),
    "a second later": _init_past_end(_SECOND),
    "exchanged": _exchanged,
    "half an hour later, earlier as text": _init_past_end(timedelta(minutes=30), _FAR_WEST),
}


class _Edge(NamedTuple):
    """An instant, so many seconds from an end of an earlier period."""

    seconds: int
    is_from_end: bool = False


def _begin(seconds: int) -> _Edge:
    return _Edge(seconds)


def _end(seconds: int) -> _Edge:
    return _Edge(seconds, is_from_end=True)


def _over(init: _Edge, end: _Edge, period: str = EARLIER, zone: int | None = None) -> Draw:
    """A period given by its ends beside those of an earlier one. Where periods must last longer it begins sooner, if it begins
    before the earlier one, or ends later: else it would be refused for that."""

    def draw_edit(_: DrawFn, _call: Call, scope: Scope) -> Edit:
        whole = EARLIER_SECONDS + scope.shortest
        begins, ends = (edge.seconds + (whole if edge.is_from_end else 0) for edge in (init, end))
        if begins < 0:
            begins = min(begins, ends - scope.shortest)
        ends = max(ends, begins + scope.shortest)
        printed_init, printed_end = (at(timedelta(seconds=seconds), zone, period=period) for seconds in (begins, ends))
        return Edit(INIT, printed_init, ((END, printed_end),))

    return draw_edit


_IN_ANOTHER_MONTH: Final = 31 * 86_400
"""Seconds after its beginning in which a period of a month is in another one, by the calendar, than that in which it began."""

_WEEKS: Final = 16 * 86_400


def _late_in_a_month(_: DrawFn, _call: Call, scope: Scope) -> Edit:
    """A period within one of a month, as late as there is room for it."""
    lasts = max(EARLIER_SECONDS, scope.shortest)
    begins = min(_IN_ANOTHER_MONTH, MONTH - lasts)
    printed_init, printed_end = (at(timedelta(seconds=after), period=LONG) for after in (begins, begins + lasts))
    return Edit(INIT, printed_init, ((END, printed_end),))


WHOLLY_OVER: Final[dict[str, Draw]] = {
    "equal": _over(_begin(0), _end(0)),
    "inside": _over(_begin(10), _end(-10)),
    "around": _over(_begin(-10), _end(10)),
    "same beginning, later end": _over(_begin(0), _end(10)),
    "same beginning, earlier end": _over(_begin(0), _end(-10)),
    "earlier beginning, same end": _over(_begin(-10), _end(0)),
    "later beginning, same end": _over(_begin(10), _end(0)),
    "equal to the last": _over(_begin(0), _end(0), LATEST),
    "equal, in another zone": _over(_begin(0), _end(0), zone=_FAR_EAST),
    "inside, of a second": _over(_begin(10), _begin(11)),
    "inside one of a month, weeks after it began": _late_in_a_month,
    "around, of a month": _over(_begin(-_WEEKS), _end(_WEEKS)),
}

PARTLY_OVER: Final[dict[str, Draw]] = {
    "it ends in the middle": _over(_begin(-30), _begin(30)),
    "it begins in the middle": _over(_begin(30), _end(30)),
    "it ends a second after the other begins": _over(_begin(-30), _begin(1)),
    "it begins a second before the other ends": _over(_end(-1), _end(30)),
    "it begins a second before the last ends": _over(_end(-1), _end(30), LATEST),
    "it ends in the middle of the last, in another zone": _over(_begin(-30), _begin(30), LATEST, _FAR_WEST),
}

# -- other fields of a creation ------------------------------------------------------------------------------------


def _own(field: str, change: Callable[[Any], Any]) -> Draw:
    """The field's own value in another form, in which somebody may take it."""

    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", field), change(call.body[field]))

    return draw_edit


NOT_A_COUNT: Final = {
    **named(("body", "releasesQtd"), {"zero": 0, "minus one": -1, "a fraction": Decimal("1.5")}),
    "its number as text": _own("releasesQtd", as_text),
    **named(("body", "releasesQtd"), {"a boolean": True}),
    "a list of it": _own("releasesQtd", lambda value: [value]),
}

TOTAL_OF_OTHER_TYPE: Final = {"totalNetValue as text": _own("totalNetValue", as_text)}


def missing_fields(*names: str, empty: tuple[str, ...] = ()) -> dict[str, Draw]:
    """Leave one of these fields out, make it null or, for those that name nothing either when empty, empty."""
    values: dict[str, tuple[str, Any]] = {
        f"{name} {how}": (name, value) for how, value in (("left out", LEFT_OUT), ("null", None)) for name in names
    }
    values |= {f"{name} empty": (name, "") for name in empty}
    return {words: setting(("body", name), value) for words, (name, value) in values.items()}


def lists_of_one(*names: str) -> dict[str, Draw]:
    """Give one of these fields a list of its value."""
    return {f"{name} in a list": _own(name, lambda value: [value]) for name in names}


def other_types(**values: Any) -> dict[str, Draw]:
    """Give one of these fields a value of another JSON type."""
    return {f"{name} = {told(value)}": setting(("body", name), value) for name, value in values.items()}


# -- releases: which reconciliation, when, how ---------------------------------------------------------------------

NO_RECONCILIATION: Final = named(
    ("body", "reconciliationId"),
    {
        "left out": LEFT_OUT,
        "null": None,
        "one that 32 bits take for its own": Placeholder(
            RECONCILIATION.name, lambda text: int(text) + 2**32, "+ 4,294,967,296"
        ),
        "an id that none has": Placeholder(
            RECONCILIATION.name, lambda text: int(text) + 1_000_000_000, "+ 1,000,000,000"
        ),
        "zero": 0,
        "negative": Placeholder(RECONCILIATION.name, lambda text: -int(text), "negative"),
        "one that 64 bits take for its own": Placeholder(
            RECONCILIATION.name, lambda text: int(text) + 2**64, "+ 18,446,744,073,709,551,616"
        ),
    },
)


def _released(offset: Callable[[timedelta], timedelta], zone: int | None = None) -> Draw:
    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", "releasedDate"), at(offset(_length(call)), zone))

    return draw_edit


OUTSIDE_THE_PERIOD: Final[dict[str, Draw]] = {
    "a second before": _released(lambda _: -_SECOND),
    "a second after": _released(lambda length: length + _SECOND),
    "four days before": _released(lambda _: timedelta(days=-4)),
    "a second before, later as text": _released(lambda _: -_SECOND, 90),
    "a second after, earlier as text": _released(lambda length: length + _SECOND, -30),
    "four years before, on a day of the period": _released(lambda _: _SECOND - _FOUR_YEARS),
}

NOT_IN_CASH: Final = named(
    ("body", "releaseType"),
    {
        "another": "INSTALLMENTS",
        "lower case": "in_cash",
        "a blank after it": "IN_CASH ",
        "a hyphen in it": "IN-CASH",
        "a list of it": "IN_CASH, IN_CASH",
        "empty": "",
        "null": None,
        "left out": LEFT_OUT,
    },
)

BAD_INSTALLMENT: Final = {
    **named(("body", "installment"), {"zero": 0, "negative": -1, "above installmentQuantity": 2}),
    "no installments at all": setting(("body", "installmentQuantity"), 0),
}

NUMBERS_AS_TEXT: Final = {
    "reconciliationId as text": setting(
        ("body", "reconciliationId"), Placeholder(RECONCILIATION.name, as_text, "as text")
    ),
    "installment as text": setting(("body", "installment"), "1"),
}

# -- releases: entries ---------------------------------------------------------------------------------------------


def _in_entry(field: str, value: Any, type_: str | None = None, *, first: bool = False) -> Draw:
    """Set a field of the last entry, or the first (of that type, where one is given)."""

    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", "releases", position(call.body["releases"], type_, int(first)), field), value)

    return draw_edit


def _no_release_type(draw: DrawFn, call: Call, scope: Scope) -> Edit:
    # Where orders take them, a release of one may be meant to be taken too.
    others = [name for name in ("RETURN_SALE", "ADJUSTMENT") if name not in scope.extract_types] or ["FREIGHT"]
    return _in_entry("type", draw(st.sampled_from(others)))(draw, call, scope)


OTHER_ENTRY_TYPE: Final[dict[str, Draw]] = {
    "unknown": _in_entry("type", "FREIGHT"),
    "lower case": _in_entry("type", "sale", "SALE"),
    "other spelling": _in_entry("type", "COMMISSION", "COMISSION", first=True),
    "a blank after it": _in_entry("type", "SALE ", "SALE"),
    "empty": _in_entry("type", ""),
    "null": _in_entry("type", None),
    "left out": _in_entry("type", LEFT_OUT),
    "of another document": _no_release_type,
    "a list of it": _in_entry("type", "SALE, SALE", "SALE"),
}


def _negated(type_: str) -> Draw:
    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:
        edit = _in_entry("value", None, type_)(draw, call, scope)
        return Edit(edit.path, -call.body["releases"][edit.path[2]]["value"])

    return draw_edit


def wrong_sign(type_: str) -> dict[str, Draw]:
    """The value negated, and zero."""
    return {f"{type_} negated": _negated(type_), f"{type_} zero": _in_entry("value", Decimal("0.00"), type_)}


_EXCHANGED_TYPE: Final = {"SALE": "SHIP", "COMISSION": "SHIP", "RETURN_COMISSION": "RETURN_SHIP", "RETURN_SHIP": "SHIP"}


def _type_exchanged(type_: str | None) -> Draw:
    """Another of the five types that takes the same value: the sum stays."""

    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:
        edit = _in_entry("type", None, type_)(draw, call, scope)
        entry = call.body["releases"][edit.path[2]]
        other = _EXCHANGED_TYPE.get(entry["type"]) or ("SALE" if entry["value"] > 0 else "COMISSION")
        return Edit(edit.path, other)

    return draw_edit


OTHER_TYPES_THAN_EXTRACTS: Final[dict[str, Draw]] = {
    "a COMISSION as SHIP": _type_exchanged("COMISSION"),
    "the SALE as SHIP": _type_exchanged("SALE"),
    "a SHIP as RETURN_SHIP": _in_entry("type", "RETURN_SHIP", "SHIP"),
    "any one as another": _type_exchanged(None),
}


def _value_moved(by: Decimal, type_: str | None = None) -> Draw:
    """A value further from zero by so much, so that its sign stays."""

    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:
        edit = _in_entry("value", None, type_)(draw, call, scope)
        value = call.body["releases"][edit.path[2]]["value"]
        return Edit(edit.path, value + (by if value > 0 else -by))

    return draw_edit


def _cent_shifted(draw: DrawFn, call: Call, scope: Scope) -> Edit:
    """A cent more of the sale and a cent more of the commission: the sum stays."""
    sale, commission = (_value_moved(CENT, type_)(draw, call, scope) for type_ in ("SALE", "COMISSION"))
    return Edit(sale.path, sale.value, ((commission.path, commission.value),))


def _largest_moved(_: DrawFn, call: Call, _scope: Scope) -> Edit:
    """A cent more of the largest sale, where a binary float has the fewest digits left."""
    entries = call.body["releases"]
    sales = (n for n, entry in enumerate(entries) if entry["type"] == "SALE")
    position = max(sales, key=lambda n: entries[n]["value"])
    return Edit(("body", "releases", position, "value"), entries[position]["value"] + CENT)


OTHER_VALUES: Final[dict[str, Draw]] = {
    "by a cent, of the sale": _value_moved(CENT, "SALE"),
    "by a cent, of a commission": _value_moved(CENT, "COMISSION"),
    "by a cent, of the largest": _largest_moved,
    "the sign of a SHIP": _negated("SHIP"),
    "by a cent in two, the sum unchanged": _cent_shifted,
    "by a hundred": _value_moved(Decimal(100)),
}


def _entries(change: Callable[[list[Any]], list[Any]]) -> Draw:
    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        return Edit(("body", "releases"), change(call.body["releases"]))

    return draw_edit


def _split(entries: list[Any]) -> list[Any]:
    """The largest entry in two of its type, a cent apart from it and a cent."""
    largest = max(entries, key=lambda entry: abs(entry["value"]))
    cent = CENT if largest["value"] > 0 else -CENT
    if largest["value"] == cent:
        return [*entries, largest]
    position = entries.index(largest)
    parts = [{**largest, "value": largest["value"] - cent}, {**largest, "value": cent}]
    return [*entries[:position], *parts, *entries[position + 1 :]]


def _greatest(entries: list[Any]) -> Any:
    """An entry of the last type, a cent more than any."""
    value = max(entry["value"] for entry in entries) + CENT
    return {"marketplaceCode": CODE, "type": "SHIP", "value": value}


FEWER_OR_MORE: Final[dict[str, Draw]] = {
    "one twice": _entries(lambda entries: [*entries, entries[0]]),
    "one missing, the last": _entries(lambda entries: entries[:-1]),
    "one split in two": _entries(_split),
    # Last, also where entries and extracts are sorted: whoever compares as far as both go sees no difference.
    "one more": _entries(lambda entries: [*entries, _greatest(entries)]),
    "none": _entries(lambda _: []),
    "one missing, the first": _entries(lambda entries: entries[1:]),
}

OF_ANY_ENTRY: Final = frozenset(
    {"by a cent, of the sale", "by a cent, of the largest", "one twice", "one split in two", "one more", "none"}
)
"""Those of both that can be made of a single sale."""

OTHER_CODE_AT_A_LEVEL: Final[dict[str, Draw]] = {
    "another order's, in one entry": _in_entry("marketplaceCode", NEIGHBOUR),
    "one that no order has, in one entry": _in_entry("marketplaceCode", OTHER_CODE, first=True),
    "one character more, in one entry": _in_entry(
        "marketplaceCode", Placeholder(CODE.name, lambda code: code + "1", "one character more")
    ),
    "one character less, in one entry": _in_entry(
        "marketplaceCode", Placeholder(CODE.name, lambda code: code[:-1], "one character less")
    ),
    "with a blank after it, in one entry": _in_entry(
        "marketplaceCode", Placeholder(CODE.name, lambda code: code + " ", "with a blank after it")
    ),
    "null, in one entry": _in_entry("marketplaceCode", None),
    "left out, in one entry": _in_entry("marketplaceCode", LEFT_OUT),
    "another order's, at the top": setting(("body", "marketplaceCode"), NEIGHBOUR),
    "one that no order has, at the top": setting(("body", "marketplaceCode"), OTHER_CODE),
}


def _lower(code: str) -> str:
    """In lower case; a code without capitals another one all the same."""
    return code.lower() if code.lower() != code else code + "x"


CODE_IN_OTHER_CASE: Final[dict[str, Draw]] = {
    "in lower case, in one entry": _in_entry(
        "marketplaceCode", Placeholder(CODE.name, _lower, "in lower case"), first=True
    )
}


def _at_every_level(code: Placeholder) -> Draw:
    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        also = tuple(
            (("body", "releases", position, "marketplaceCode"), code) for position in range(len(call.body["releases"]))
        )
        return Edit(("body", "marketplaceCode"), code, also)

    return draw_edit


UNKNOWN_ORDER: Final[dict[str, Draw]] = {
    "a code that no order of the account has": _at_every_level(OTHER_CODE),
    "one character more": _at_every_level(Placeholder(CODE.name, lambda code: code + "1", "one character more")),
    # Whoever looks it up by SQL's LIKE finds the order. Of the run's codes no other differs in the first character alone.
    "an underscore for the first character": _at_every_level(
        Placeholder(CODE.name, lambda code: "_" + code[1:], "an underscore for the first character")
    ),
    # Databases that pad text to compare it find the order (PAD SPACE, the default of MySQL and MariaDB).
    "a blank after it": _at_every_level(Placeholder(CODE.name, lambda code: code + " ", "a blank after it")),
}

ORDER_IN_OTHER_CASE: Final[dict[str, Draw]] = {
    "the order's code in lower case": _at_every_level(Placeholder(CODE.name, str.lower, "in lower case"))
}
"""Of a code with capital letters: whoever looks it up without regard to case finds the order."""


def _value_as_text(draw: DrawFn, call: Call, scope: Scope) -> Edit:
    edit = _in_entry("value", None)(draw, call, scope)
    return Edit(edit.path, as_text(call.body["releases"][edit.path[2]]["value"]))


def _value_in_list(draw: DrawFn, call: Call, scope: Scope) -> Edit:
    edit = _in_entry("value", None, first=True)(draw, call, scope)
    return Edit(edit.path, [call.body["releases"][edit.path[2]]["value"]])


def _one_alone(_: DrawFn, call: Call, _scope: Scope) -> Edit:
    return Edit(("body", "releases"), call.body["releases"][0])


ENTRY_MALFORMED: Final[dict[str, Draw]] = {
    "value left out": _in_entry("value", LEFT_OUT),
    "value null": _in_entry("value", None),
    "value as text": _value_as_text,
    "value an object": _in_entry("value", {}),
    # Added to the others: who skips it finds all that there are to be.
    "an entry that is no object": _entries(lambda entries: [*entries, "SALE"]),
    "an entry that is null": _entries(lambda entries: [*entries, None]),
    "value in a list": _value_in_list,
}

ONE_ENTRY_ALONE: Final = {"one entry alone": _one_alone}
"""In place of a list of it."""

# -- releases: another account -------------------------------------------------------------------------------------


def _moved_to(other: Place, call: Call) -> Edit:
    form = type(call.body["accountId"])
    return Edit(("body", "accountId"), form(other.account), ((("body", "channelName"), other.channel),))


def on_another_account(kind: Callable[..., Any], *, same_channel: bool) -> Any:
    """The kind of fault that releases an order of another account (of the same channel or of another) of the integrator."""

    def others(scope: Scope, place: Place) -> tuple[Place, ...]:
        return tuple(
            other for other in scope.places if other != place and (other.channel == place.channel) == same_channel
        )

    def draw_edit(draw: DrawFn, call: Call, scope: Scope) -> Edit:
        return _moved_to(draw(st.sampled_from(others(scope, place_of(call)))), call)

    def places(scope: Scope) -> tuple[Place, ...]:
        return tuple(place for place in scope.places if others(scope, place))

    name = "another account of the channel" if same_channel else "an account of another channel"
    return kind(name=name, draw=draw_edit, places=places, field="accountId")
