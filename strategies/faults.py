"""For every refusable rule the ways to break it and nothing else.

The table is keyed by rule id, then by the words in which a scenario names the fault. Each fault is a family of kinds: the
plain case and the boundaries beside it (equal instant, a second, a cent, zero, other case, empty, null, another JSON
type). A kind draws one edit of a lawful call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from strategies import batch_parts, date_parts, matching_parts, near_parts, token_parts, turns, type_parts
from strategies import fault_parts as parts
from strategies.calls import Call, Edit, calls
from strategies.fault_parts import Draw
from strategies.identifiers import ROOMY
from strategies.orders import STATUSES, Multiples
from strategies.scope import Place, Scope


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Kind:
    """One way to break a rule: its name, the edit, and what the lawful call must have so that it can be made."""

    name: str
    draw: Draw
    statuses: tuple[str, ...] = STATUSES
    present: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    places: Callable[[Scope], tuple[Place, ...]] | None = None
    """The accounts on which it can be made; None means all, an empty answer that it can't be made on this target."""
    endpoints: frozenset[Endpoint] = frozenset(Endpoint)
    large: bool = False
    """Whether it takes a sale of so many reais that a 32-bit float has no cents left."""
    shapes: tuple[str, ...] = ()
    """The shapes of codes with which it can be made; none means all."""
    field: str | None = None
    """The field that an error message should name."""
    apart: bool = False
    """Whether it takes an order whose dates are well apart from each other."""
    multiples: Multiples = ()
    """Extracts in fixed proportions that it takes; all kinds of a fault that take some take the same."""
    alone: bool = False
    """Whether it can be made of a single sale, too."""
    rather: tuple[str, ...] = ()
    """The statuses of orders in which some take it, and refuse it in others: where it has its turn in a few only, in these."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True, slots=True)
class Case:
    """A lawful call and the edit that breaks one rule."""

    lawful: Call
    edit: Edit
    twin_first: bool

    @property
    def broken(self) -> Call:
        """The call with its one fault."""
        return self.edit.apply(self.lawful)


@st.composite
def cases(
    draw: DrawFn,
    scope: Scope,
    endpoint: Endpoint,
    kind: Kind,
    statuses: tuple[str, ...] = STATUSES,
    turn: int | None = None,
) -> Case:
    """A lawful call to the endpoint with the kind's fault in it; the order's status is one that both allow. What the order is
    like goes by the turn where one is given: then it is one to be submitted."""
    wanted: dict[str, Any] = {}
    if endpoint in parts.ABOUT_ORDERS:
        both = tuple(status for status in statuses if status in kind.statuses)
        wanted = {"statuses": both, "present": kind.present, "apart": kind.apart}
    if endpoint in (*parts.ABOUT_ORDERS, *parts.OF_BATCHES):
        wanted["types"] = kind.types
        wanted["shapes"] = kind.shapes
        if kind.places is not None:
            wanted["places"] = kind.places(scope)
    if endpoint in parts.OF_BATCHES:
        wanted |= {"large": kind.large, "multiples": kind.multiples}
    if turn is not None:
        wanted["statuses"] = turns.whose(wanted["statuses"], turn)
        wanted["places"] = turns.whose(wanted.get("places", scope.places), turn)
        wanted |= turns.sized(turn)
    lawful = draw(calls(scope, endpoint, **wanted))
    twin_first = draw(st.booleans()) if turn is None else turns.is_update(turn)
    return Case(lawful, kind.draw(draw, lawful, scope), twin_first)


@dataclass(frozen=True, slots=True)
class FaultBatch:
    """One lawful call of a batch, and several edits that break one rule each. Sent before it, none may leave a trace."""

    lawful: Call
    edits: tuple[tuple[Kind, Edit], ...]


@st.composite
def fault_batches(
    draw: DrawFn,
    scope: Scope,
    endpoint: Endpoint,
    kinds: tuple[Kind, ...],
    seconds: int | None = None,
    *,
    crowded: bool = False,
    bare: bool = False,
    turn: int | None = None,
) -> FaultBatch:
    """A lawful creation or release with an edit of each of the kinds, in a period of so many seconds where they are given; its
    order is `crowded` or `bare` where that is asked for, and of the account and status whose `turn` it is."""
    types = tuple(sorted({type_ for kind in kinds for type_ in kind.types if not (bare and kind.alone)}))
    allowed = [set(kind.places(scope)) for kind in kinds if kind.places is not None]
    places = tuple(place for place in scope.places if all(place in some for some in allowed))
    multiples = next((kind.multiples for kind in kinds if kind.multiples), ())
    shapes = next((kind.shapes for kind in kinds if kind.shapes), ())
    wanted = {
        "types": types,
        "shapes": shapes,
        "places": places,
        "large": any(kind.large for kind in kinds),
        "multiples": multiples,
        "seconds": seconds,
        "crowded": crowded,
        "bare": bare,
        "turn": turn,
    }
    lawful = draw(calls(scope, endpoint, **wanted))
    return FaultBatch(lawful, tuple((kind, kind.draw(draw, lawful, scope)) for kind in kinds))


def possible(kind: Kind, scope: Scope, endpoint: Endpoint) -> bool:
    """Whether the target, and the readings of the run, have what the kind takes."""
    takes_types = set(kind.types) <= set(scope.extract_types)
    return endpoint in kind.endpoints and takes_types and (kind.places is None or bool(kind.places(scope)))


def _kinds(field: str | None, draws: Mapping[str, Draw], **needs: Any) -> tuple[Kind, ...]:
    return tuple(Kind(name=name, draw=draw, field=field, **needs) for name, draw in draws.items())


def _of_entries(field: str, draws: Mapping[str, Draw], **needs: Any) -> tuple[Kind, ...]:
    return tuple(replace(kind, alone=kind.name in batch_parts.OF_ANY_ENTRY) for kind in _kinds(field, draws, **needs))


_NUMBERS_AS_TEXT: Final = frozenset(
    {"its number as text", "totalNetValue as text", "reconciliationId as text", "installment as text", "value as text"}
)


def _unless_coerced(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    """The kinds, those that write a number as text only where the reading rejects it."""
    return tuple(
        replace(kind, places=type_parts.places_without_coercion) if kind.name in _NUMBERS_AS_TEXT else kind
        for kind in kinds
    )


def _missing(field: str, *statuses: str) -> tuple[Kind, ...]:
    return _kinds(field, parts.missing(field), statuses=statuses or STATUSES)


def _date_moved(earlier: str, later: str, *statuses: str) -> tuple[Kind, ...]:
    present = (earlier, later)
    return _kinds(later, parts.out_of_order(earlier, later), statuses=statuses or STATUSES, present=present, apart=True)


def _sign(type_: str, draws: Mapping[str, Draw]) -> tuple[Kind, ...]:
    # A sale every order has.
    types = () if type_ == "SALE" else (type_,)
    return _kinds("value", {f"{type_}, {name}": draw for name, draw in draws.items()}, types=types)


_BESIDE: Final = ("SHIP",)
"""Of what an order has an extract besides its sale, so that the first is not the last."""

_NO_OBJECT: Final = (
    *_kinds(None, {name: parts.NO_OBJECT[name] for name in ("null", "empty")}),
    Kind(name="a zero before a number", draw=near_parts.ZERO_BEFORE),
    Kind(
        name="NaN for a number",
        draw=near_parts.NOT_A_NUMBER,
        endpoints=frozenset({Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION}),
    ),
    Kind(
        name="NaN in a field of its own",
        draw=near_parts.NOT_A_NUMBER_BESIDE,
        endpoints=frozenset({Endpoint.SUBMIT_ORDER}),
    ),
    Kind(name="a plus before a number", draw=near_parts.PLUS_BEFORE, endpoints=frozenset({Endpoint.SUBMIT_ORDER})),
    Kind(
        name="nothing before the point of a number",
        draw=near_parts.POINT_FIRST,
        endpoints=frozenset({Endpoint.SUBMIT_ORDER}),
    ),
    *_kinds(
        None,
        {name: parts.NO_OBJECT[name] for name in ("an array of it", "not JSON", "cut short", "a string", "a number")},
    ),
)

_ORDERS_ONLY: Final = frozenset({Endpoint.SUBMIT_ORDER})
_BATCHES_ONLY: Final = frozenset(parts.OF_BATCHES)

_UNKNOWN_ORDERS: Final = (
    Kind(name="a code that no order has", draw=parts.UNKNOWN_CODE),
    parts.on_neighbouring_account(Kind),
    *_kinds(None, parts.NEARLY_THE_CODE, shapes=ROOMY),
)

FAULTS: Final[Mapping[str, Mapping[str, tuple[Kind, ...]]]] = {
    "AUTH-02": {
        "the password is wrong": _kinds(None, token_parts.WRONG_PASSWORD),
        "the credentials are malformed": _kinds(None, token_parts.MALFORMED_CREDENTIALS),
        "the credentials are missing": _kinds(None, token_parts.MISSING_CREDENTIALS),
    },
    "AUTH-03": {"the gumgaToken header is left out": _kinds(None, token_parts.NO_TOKEN)},
    "AUTH-04": {"the token is unknown or damaged": _kinds(None, token_parts.BAD_TOKEN)},
    "AUTH-08": {"the integrator header is missing or no UUID": _kinds("integrator", token_parts.BAD_INTEGRATOR)},
    "ACC-02": {"its account does not exist": _kinds("accountId", parts.UNKNOWN_ACCOUNT)},
    "ACC-03": {"its channel does not exist": _kinds("channelName", parts.UNKNOWN_CHANNEL)},
    "ACC-04": {"its account is not enabled for API imports": (parts.at_fixture("disabled_account", Kind),)},
    "ACC-05": {"its account is inactive": (parts.at_fixture("inactive_account", Kind),)},
    "ACC-06": {"its channel is not its account's": (parts.at_other_channel(Kind),)},
    "ORD-02": {
        "its status is not one of the four": (
            *_kinds("status", parts.MISSPELT_STATUS, statuses=("CANCELED",)),
            *_kinds("status", parts.OTHER_STATUS),
            *_kinds("status", parts.HYPHENATED_STATUS, statuses=("PAID_WAITING_DELIVERY",)),
        )
    },
    "ORD-03": {
        "its sendDate is missing": _missing("sendDate", "PAID_WAITING_DELIVERY"),
        "its estimatedDeliveryDate is missing": _missing("estimatedDeliveryDate", "PAID_WAITING_DELIVERY"),
    },
    "ORD-04": {
        "its sendDate is missing": _missing("sendDate", "CONCLUDED"),
        "its estimatedDeliveryDate is missing": _missing("estimatedDeliveryDate", "CONCLUDED"),
        "its deliveryDate is missing": _missing("deliveryDate", "CONCLUDED"),
    },
    "ORD-05": {"its cancelDate is missing": _missing("cancelDate", "CANCELED")},
    "ORD-07": {
        "its createdDate is later than its approvedDate": _date_moved("createdDate", "approvedDate"),
        "its approvedDate is later than its sendDate": _date_moved("approvedDate", "sendDate"),
        "its sendDate is later than its deliveryDate": _date_moved(
            "sendDate", "deliveryDate", "PAID_WAITING_DELIVERY", "CONCLUDED"
        ),
        "its sendDate is later than its estimatedDeliveryDate": _date_moved("sendDate", "estimatedDeliveryDate"),
        "its createdDate is later than its cancelDate": _date_moved("createdDate", "cancelDate", "CANCELED"),
    },
    "ORD-08": {
        "one of its dates is malformed": date_parts.of_orders(Kind),
        "the expectedDate of one extract is malformed": _kinds("expectedDate", date_parts.OF_EXTRACTS),
    },
    "ORD-09": {
        "the type of one extract is not one that orders take": (
            # What is given back is given back once an order is delivered, or canceled.
            *parts.types_of_other_documents(Kind, types=("COMISSION", "SHIP"), rather=("CONCLUDED", "CANCELED")),
            *_kinds("type", parts.OTHER_EXTRACT_TYPE, types=("COMISSION", "SHIP")),
        )
    },
    "ORD-10": {
        "the value of a SALE or RETURN_COMISSION is not positive": (
            *_sign("SALE", parts.not_positive("SALE")),
            *_sign("RETURN_COMISSION", parts.not_positive("RETURN_COMISSION")),
        ),
        "the value of a COMISSION or RETURN_SALE is not negative": (
            *_sign("COMISSION", parts.not_negative("COMISSION")),
            *_sign("RETURN_SALE", parts.not_negative("RETURN_SALE")),
        ),
    },
    "ORD-11": {
        "the marketplaceCode of one extract is not the order's": (
            *_kinds("marketplaceCode", parts.OTHER_CODE_INSIDE, types=_BESIDE),
            *_kinds("marketplaceCode", parts.CODE_IN_OTHER_CASE, types=_BESIDE, shapes=parts.WITH_LETTERS),
            *_kinds("marketplaceCode", parts.CODE_OF_THE_SAME_NUMBER, types=_BESIDE, shapes=parts.OF_DIGITS),
        )
    },
    "ORD-12": {
        "its marketplaceCode is missing": _kinds("marketplaceCode", parts.MISSING_CODE),
        "its channelName is missing": _missing("channelName"),
        "its accountId is missing": _missing("accountId"),
        "the value of one extract is missing": _kinds("value", parts.MISSING_VALUE, types=_BESIDE),
    },
    "ORD-13": {
        f"its {field} has another JSON type": _kinds(
            field, type_parts.of_other_type(field), present=present, statuses=statuses
        )
        for field, present, statuses in type_parts.TYPED_FIELDS
    }
    | {
        "its accountId has another JSON type": (
            *_kinds("accountId", type_parts.of_other_type("accountId")),
            Kind(
                name="the form that the reading rules out",
                draw=type_parts.account_in_other_form,
                places=type_parts.places_with_one_form,
                field="accountId",
            ),
        ),
        "one extract is not an object": _kinds("extracts", type_parts.EXTRACT_NO_OBJECT, types=_BESIDE),
        "the value of one extract has another JSON type": _kinds(
            "value", type_parts.VALUE_OF_OTHER_TYPE, types=_BESIDE
        ),
        "the percentage of one extract has another JSON type": _kinds(
            "percentage", type_parts.PERCENTAGE_OF_OTHER_TYPE
        ),
        "one of its numbers is written as text": (
            *(
                Kind(name=f"{field} as text", draw=draw, field=field, places=type_parts.places_without_coercion)
                for field, draw in type_parts.NUMBERS_AS_TEXT.items()
            ),
            *_kinds("value", type_parts.NO_NUMBER_AS_TEXT, types=("SHIP",)),
        ),
    },
    "ORD-14": {"its body is not a JSON object": _NO_OBJECT},
    "ORD-18": {"it has no extracts": _kinds("extracts", parts.NO_EXTRACTS)},
    # All of it in orders; one of it shows whether the same reader of dates and of JSON is used elsewhere.
    "ORD-21": {
        "one of its dates names no instant": near_parts.no_instants(Kind),
        "one of its dates has no offset or no time of day": near_parts.no_instants_in_batches(Kind),
    },
    "ORD-22": {
        "its body is nearly JSON": _kinds(None, near_parts.NEARLY_JSON, endpoints=_ORDERS_ONLY),
        "its body goes on after the object": _kinds(None, near_parts.TEXT_AFTER, endpoints=_BATCHES_ONLY),
    },
    "REC-03": {"its period begins no earlier than it ends": _kinds("period", batch_parts.NOT_EARLIER)},
    "REC-04": {"its period lies wholly over an earlier one": _kinds("period", batch_parts.WHOLLY_OVER)},
    "REC-05": {"its period lies partly over an earlier one": _kinds("period", batch_parts.PARTLY_OVER)},
    "REC-07": {
        "its releasesQtd is not a positive integer": _unless_coerced(_kinds("releasesQtd", batch_parts.NOT_A_COUNT))
    },
    "REC-08": {
        "one of its fields is missing": _kinds(
            None,
            batch_parts.missing_fields("channelName", "accountId", "periodInitDate", "periodEndDate", "releasesQtd"),
        ),
        "one of its dates is malformed": _kinds(None, date_parts.of_batches("periodInitDate", "periodEndDate")),
        "one of its fields has another JSON type": _unless_coerced(
            _kinds(
                None,
                batch_parts.lists_of_one("channelName", "periodEndDate", "accountId")
                | batch_parts.other_types(periodInitDate=True)
                | batch_parts.TOTAL_OF_OTHER_TYPE,
            )
        ),
        "its body is not a JSON object": _NO_OBJECT,
    },
    "REL-02": {"its reconciliationId is missing or unknown": _kinds("reconciliationId", batch_parts.NO_RECONCILIATION)},
    "REL-03": {"its releasedDate is outside the period": _kinds("releasedDate", batch_parts.OUTSIDE_THE_PERIOD)},
    "REL-04": {"its releaseType is not IN_CASH": _kinds("releaseType", batch_parts.NOT_IN_CASH)},
    "REL-05": {
        "the type of one entry is not one that releases take": _kinds(
            "type", batch_parts.OTHER_ENTRY_TYPE, types=("COMISSION", "SHIP")
        )
    },
    "REL-06": {
        "the sign of one value contradicts its type": tuple(
            kind
            for type_ in ("SALE", "COMISSION", "RETURN_COMISSION")
            for kind in _kinds("value", batch_parts.wrong_sign(type_), types=(type_,))
        )
    },
    "REL-07": {
        "one type is not that of the extract": (
            *matching_parts.all_types_exchanged(Kind),
            *_kinds("type", batch_parts.OTHER_TYPES_THAN_EXTRACTS, types=("COMISSION", "SHIP")),
        )
    },
    "REL-08": {
        "one value is not that of the extract": (
            *matching_parts.all_values_exchanged(Kind),
            *_of_entries("value", batch_parts.OTHER_VALUES, types=("COMISSION", "SHIP"), large=True),
        )
    },
    "REL-09": {
        "the entries are not as many as the extracts": (
            *matching_parts.two_fewer_or_more(Kind),
            *_of_entries("releases", batch_parts.FEWER_OR_MORE, types=("SHIP",)),
        )
    },
    "REL-10": {
        "the marketplaceCode differs at one level": (
            *_kinds("marketplaceCode", batch_parts.OTHER_CODE_AT_A_LEVEL, types=_BESIDE),
            *_kinds("marketplaceCode", batch_parts.CODE_IN_OTHER_CASE, types=_BESIDE, shapes=parts.WITH_LETTERS),
        )
    },
    "REL-13": {
        "the order does not exist": (
            *_kinds("marketplaceCode", batch_parts.UNKNOWN_ORDER),
            *_kinds("marketplaceCode", batch_parts.ORDER_IN_OTHER_CASE, shapes=parts.WITH_LETTERS),
        )
    },
    "REL-14": {
        "its account is another than the reconciliation's": (batch_parts.on_another_account(Kind, same_channel=True),),
        "its channel is another than the reconciliation's": (batch_parts.on_another_account(Kind, same_channel=False),),
    },
    "REL-16": {
        "its installment is below 1 or above installmentQuantity": _kinds("installment", batch_parts.BAD_INSTALLMENT)
    },
    "REL-17": {
        "one of its fields is missing": _kinds(
            None,
            batch_parts.missing_fields(
                "channelName", "accountId", "marketplaceCode", "releasedDate", "releases", empty=("marketplaceCode",)
            ),
        ),
        "one of its dates is malformed": _kinds(None, date_parts.of_batches("releasedDate", "createdDate")),
        "one of its fields has another JSON type": _unless_coerced(
            _kinds(
                None,
                batch_parts.lists_of_one(
                    "reconciliationId", "channelName", "accountId", "marketplaceCode", "releasedDate"
                )
                | batch_parts.other_types(installment="one")
                | batch_parts.ONE_ENTRY_ALONE
                | batch_parts.NUMBERS_AS_TEXT,
            )
        ),
        "one of its entries is malformed": _unless_coerced(_kinds(None, batch_parts.ENTRY_MALFORMED)),
        "its body is not a JSON object": _NO_OBJECT,
    },
    "QRY-02": {"no such order exists": _UNKNOWN_ORDERS},
    "DEL-02": {"no such order exists": _UNKNOWN_ORDERS},
}
"""Rule id, then the words of the scenario's When step, then the kinds."""

FAULTLESS: Final = {
    "AUTH-05": "needs time to pass",
    "AUTH-07": "needs a refresh before",
    "ORD-16": "breaks any other ORD rule in an update",
    "DEL-03": "the order is the fault, not the request",
    "DEL-04": "the order is the fault, not the request",
    "DEL-05": "needs a deletion before",
    "REC-06": "needs a reconciliation that is active",
    "REC-09": "breaks another rule in a creation, then sends it whole",
    "REL-11": "needs a release before",
    "REL-12": "the reconciliation is the fault, not the request",
    "REL-18": "breaks another rule in a release, then sends it whole",
    "WFL-04": "breaks other rules in a sequence of calls",
    "LIM-01": "needs many calls within a minute",
    "LIM-02": "needs hundreds of client errors",
    "LIM-03": "needs a thousand calls while blocked",
    "ERR-01": "a law on every refusal",
    "ERR-03": "a law on every refusal",
    "ERR-04": "no documented call to change",
}
"""Refusable rules whose refusal takes a sequence of calls or another rule's fault: their scenarios make it themselves."""


def rule_broken_by(kind: Kind) -> str:
    """The id of the rule that a kind of fault breaks. Raises LookupError for one of no table."""
    for rule_id, faults in FAULTS.items():
        if any(kind is one for kinds in faults.values() for one in kinds):
            return rule_id
    raise LookupError(f"{kind} is in no table of faults")


def order_faults() -> tuple[Kind, ...]:
    """Every kind of fault in an order that is to be refused with 400, whatever the reading."""
    return tuple(
        kind
        for rule_id, faults in FAULTS.items()
        if rule_id.startswith("ORD-") and rule_id not in {"ORD-14", "ORD-18", "ORD-21", "ORD-22"}
        for kinds in faults.values()
        for kind in kinds
    )
