"""Codes and ids that are two are taken for one: by collations, numbers, patterns and columns of 32 bits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.mock.defects.parts import DELETE, QUERY, RELEASE, SUBMIT, Seen, asked, reading, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, OrderKey, order_key

Fold = Callable[[str], str]

BITS: Final = 2**32

COLUMN: Final = 64
"""Characters that a column holds."""


# -- what makes two codes one --------------------------------------------------------------------------------------


def without_accents(code: str) -> str:
    """The letters alone, in their case."""
    return "".join(mark for mark in unicodedata.normalize("NFD", code) if not unicodedata.combining(mark))


def padded(code: str) -> str:
    """PAD SPACE: blanks at the end count for nothing."""
    return code.rstrip(" ")


def _general_ci(code: str) -> str:
    """As utf8mb4_general_ci compares: neither case nor accents nor blanks at the end."""
    return padded(without_accents(code)).upper()


def _wide(code: str) -> str:
    return unicodedata.normalize("NFKC", code)


def _is_digits(code: str) -> bool:
    return code.isascii() and code.isdigit()


def through_a_double(code: str) -> str:
    """A number as a double holds it, in as many digits."""
    return f"{float(code):.0f}" if _is_digits(code) else code


def _in_64_bits(code: str) -> str:
    return str(int(code) % 2**64) if _is_digits(code) else code


def _loosely(code: str) -> str:
    """As PHP compares texts that are numbers: at their value."""
    return f"{Decimal(code).normalize():f}" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", code) else code


def _letters_and_digits(code: str) -> str:
    return "".join(filter(str.isalnum, code))


def _cut(length: int) -> Fold:
    return lambda code: code[:length]


# -- how ------------------------------------------------------------------------------------------------------------


def _kept_under(name: str, statement: str, fold: Fold, *blamed: str) -> Defect:
    """Orders kept under something else than their codes: two may be taken for one."""
    return Defect(
        name=name,
        statement=statement,
        rules=rules("QRY-05", *blamed),
        key=lambda key: (key[0], key[1], fold(key[2])),
    )


def _stored_as(name: str, statement: str, fold: Fold, *blamed: str) -> Defect:
    """Codes are changed as they are stored, and asked for as they are: what was changed is never found, as if it were late."""
    changed = reading(fold, ("marketplaceCode",), SUBMIT)
    return Defect(name=name, statement=statement, rules=rules(*blamed), reads=changed)


def _latin(code: str) -> str:
    return code.encode().decode("latin-1")


Matches = Callable[[str, str], bool]
"""Whether a code that is asked for matches one that is kept."""


def _alike(fold: Fold) -> Matches:
    return lambda asked_for, kept: fold(asked_for) == fold(kept)


def _like(asked_for: str, kept: str) -> bool:
    """As LIKE compares: `_` is any character, `%` are any."""
    pattern = "".join({"_": ".", "%": ".*"}.get(one, re.escape(one)) for one in asked_for)
    return re.fullmatch(pattern, kept, re.DOTALL) is not None


def _first(world: MockWorld, key: OrderKey, matches: Matches) -> OrderKey:
    """The first order of the place that matches, as a query without ORDER BY finds it."""
    found = (
        other for other in world.orders if other[:2] == key[:2] and matches(key[2], other[2]) and world.shown(other)
    )
    return next(found, key)


def _looked_up(name: str, statement: str, matches: Matches) -> Defect:
    """Orders are kept under their codes, and asked for by another comparison."""

    def sees(world: MockWorld) -> Any:
        return Seen(world, shown_order=lambda *key: MockWorld.shown_order(world, *_first(world, key, matches)))

    def finds(world: MockWorld, key: OrderKey, _: Body | None) -> Body | None:
        version = world.shown(_first(world, key, matches))
        return version.body if version else None

    return Defect(name=name, statement=statement, rules=rules("QRY-05"), sees=sees, finds=finds)


def _deleted(name: str, statement: str, matches: Matches, *blamed: str) -> Defect:
    """A deletion takes whatever matches the code with it."""

    def after_deletion(world: MockWorld, key: OrderKey) -> None:
        for other in [one for one in world.orders if one[:2] == key[:2] and matches(key[2], one[2])]:
            stored = world.stored(other)
            if stored and stored.through_api:
                world.put(other, None)

    return Defect(name=name, statement=statement, rules=rules("QRY-05", *blamed), after_deletion=after_deletion)


def _taken(request: Request, world: MockWorld, fold: Fold) -> bool:
    """Whether an order is there whose code is another one and folds to the same."""
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    return key is not None and any(
        other[:2] == key[:2] and other != key and fold(other[2]) == fold(key[2]) and world.stored(other)
        for other in world.orders
    )


def _second_refused(fold: Fold) -> Callable[[Request, Body, MockWorld], Breach | None]:
    def objects(request: Request, _body: Body, world: MockWorld) -> Breach | None:
        return Breach("REC-06", "marketplaceCode", "Duplicate entry") if _taken(request, world, fold) else None

    return objects


def _second_dropped(order: Body, previous: Body | None, world: MockWorld) -> Any:
    """As INSERT IGNORE does: what meets a unique key is not written, and nobody is told."""
    code = str(order.get("marketplaceCode"))
    place = (int(str(order.get("accountId"))), order.get("channelName"))
    met = any(
        other[:2] == place and other[2] != code and other[2].upper() == code.upper() and world.stored(other)
        for other in world.orders
    )
    return previous if met else order


def _second_renames(order: Body, _previous: Body | None, world: MockWorld) -> Body:
    """As an update of the row that a lookup without case found: its code is the new one from then on."""
    code = str(order.get("marketplaceCode"))
    place = (int(str(order.get("accountId"))), order.get("channelName"))
    for key in list(world.orders):
        is_like = key[:2] == place and key[2] != code and key[2].upper() == code.upper()
        if is_like and (version := world.stored(key)) and version.through_api:
            world.put(key, None)
    return order


def _cut_is_lost(order: Body, previous: Body | None, _world: MockWorld) -> Any:
    """What is stored under a code that was cut is not found under the whole one."""
    return previous if len(str(order.get("marketplaceCode"))) > COLUMN else order


def _cut_is_taken(request: Request, _body: Body, world: MockWorld) -> Breach | None:
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    if key is None or len(key[2]) <= COLUMN:
        return None
    first = world.memory.setdefault((key[0], key[1], f"cut {key[2][:COLUMN]}"), request.fields)
    is_other = first["marketplaceCode"] != key[2]
    return Breach("REC-06", "marketplaceCode", "Duplicate entry") if is_other else None


# -- ids ------------------------------------------------------------------------------------------------------------


def _wrapped(value: Any) -> Any:
    """An id as 32 bits hold it; what is none is left to be refused."""
    number = int(value) if str(value).isdecimal() else 0
    return type(value)(number % BITS) if number >= BITS else value


def _ids_wrapped(name: str, statement: str, *endpoints: Endpoint) -> Defect:
    in_query, in_body = asked(_wrapped, "accountId", *endpoints), reading(_wrapped, ("accountId",), *endpoints)
    return Defect(
        name=name, statement=statement, rules=rules("QRY-05"), reads=lambda request: in_body(in_query(request))
    )


COLLATIONS: Final = (
    _kept_under("qry-05-without-case", "Compares codes without their case.", str.lower),
    _kept_under("qry-05-without-accents", "Compares codes without their accents.", without_accents),
    _kept_under("qry-05-general-ci", "Compares codes as utf8mb4_general_ci does.", _general_ci),
    _kept_under("qry-05-pad-space", "Compares codes without the blanks at their end.", padded),
    _kept_under("qry-05-without-width", "Compares codes without the width of their digits.", _wide),
    _kept_under("qry-05-without-symbols", "Compares letters and digits of codes only.", _letters_and_digits),
    _kept_under("qry-05-without-zeros", "Compares codes without leading zeros.", lambda code: code.lstrip("0")),
    _kept_under("qry-05-without-number-sign", "Compares codes without # before them.", lambda code: code.lstrip("#")),
    Defect(
        name="qry-05-decoded-twice",
        statement="Decodes the code of a query once more than it was encoded.",
        rules=rules("QRY-05", "ERR-06"),
        reads=asked(unquote, "marketplaceCode", QUERY, DELETE),
    ),
    _kept_under("qry-05-through-a-double", "Compares codes of digits as doubles.", through_a_double),
    _kept_under("qry-05-in-64-bits", "Compares codes of digits in 64 bits.", _in_64_bits),
    _kept_under("qry-05-loosely", "Compares codes that are numbers at their value.", _loosely),
    _kept_under("qry-05-cut-at-thirty", "Looks at the first 30 characters of a code.", _cut(30), "ERR-06"),
    _kept_under("qry-05-cut-at-twenty", "Looks at the first 20 characters of a code.", _cut(20),
                "ORD-01", "ORD-15", "ORD-17", "QRY-01", "QRY-02", "DEL-01", "DEL-02", "DEL-05", "REL-01", "REL-10", "REL-11",
                "REL-13", "WFL-02", "WFL-04", "ERR-06"),
    _stored_as("qry-01-stored-in-upper-case", "Stores codes in upper case, and asks for them as they are.", str.upper,
               "QRY-01", "QRY-02", "QRY-03", "QRY-04", "QRY-05", "ERR-06", "ORD-11", "ORD-15", "ORD-16", "ORD-17", "DEL-01",
               "DEL-04", "DEL-05", "REL-01", "REL-10", "REL-11", "REL-13", "REL-15", "REL-19", "REL-20", "WFL-02", "WFL-04"),
    _stored_as("qry-05-stored-without-blanks", "Stores codes without the blanks around them, and asks for them with these.",
               str.strip, "QRY-05", "ERR-06"),
    _stored_as("err-06-stored-in-latin-1", "Reads the UTF-8 of orders as ISO-8859-1, and that of queries as it is.", _latin,
               "ERR-06", "QRY-05", "ORD-19"),
    _stored_as("err-06-stored-composed", "Stores codes in Unicode's form C, and asks for them as they are.",
               partial(unicodedata.normalize, "NFC"), "ERR-06"),
    _looked_up("qry-05-found-without-case", "Asks for codes without their case.", _alike(str.lower)),
    _looked_up("qry-05-found-without-accents", "Asks for codes without their accents.", _alike(without_accents)),
    _looked_up("qry-05-found-by-double", "Asks for codes of digits as doubles.", _alike(through_a_double)),
    _looked_up("qry-05-found-by-pattern", "Asks for codes by LIKE.", _like),
    _deleted("qry-05-deleted-without-case", "Deletes codes without their case.", _alike(str.lower)),
    _deleted("qry-05-deleted-by-double", "Deletes codes of digits as doubles.", _alike(through_a_double)),
    _deleted("qry-05-deleted-by-pattern", "Deletes codes by LIKE.", _like),
    Defect(
        name="qry-05-second-refused",
        statement="Refuses an order whose code another one has in another case.",
        rules=rules("QRY-05"),
        objects=_second_refused(str.upper),
    ),
    Defect(
        name="qry-05-padded-refused",
        statement="Refuses an order whose code another one has but for blanks at its end.",
        rules=rules("QRY-05"),
        objects=_second_refused(padded),
    ),
    Defect(
        name="qry-05-accents-refused",
        statement="Refuses an order whose code another one has but for its accents.",
        rules=rules("QRY-05"),
        objects=_second_refused(without_accents),
    ),
    Defect(
        name="err-06-cut-and-unique",
        statement="Cuts codes at 64 characters, and refuses a second one that begins alike.",
        rules=rules("ERR-06"),
        stores=_cut_is_lost,
        objects=_cut_is_taken,
    ),
    Defect(
        name="qry-05-second-renames",
        statement="Gives the order that has the code in another case the new code and all else.",
        rules=rules("QRY-05"),
        stores=_second_renames,
    ),
    Defect(
        name="qry-05-second-dropped",
        statement="Accepts and drops an order whose code another one has in another case.",
        rules=rules("QRY-05"),
        stores=_second_dropped,
    ),
    Defect(
        name="qry-05-second-crashes",
        statement="Answers 500 to an order whose code another one has but for its accents and blanks.",
        rules=rules("QRY-05", "ERR-02"),
        crashes=lambda request, world: _taken(request, world, _general_ci),
    ),
    _ids_wrapped("qry-05-ids-in-32-bits", "Takes account ids modulo 4294967296.", SUBMIT, QUERY, DELETE),
    _ids_wrapped("qry-05-asked-in-32-bits", "Takes the account ids of queries modulo 4294967296.", QUERY),
    _ids_wrapped("qry-05-deleted-in-32-bits", "Takes the account ids of deletions modulo 4294967296.", DELETE),
    _ids_wrapped("qry-05-sent-in-32-bits", "Takes the account ids of orders modulo 4294967296.", SUBMIT),
    Defect(
        name="rel-02-ids-in-32-bits",
        statement="Takes the ids of reconciliations modulo 4294967296.",
        rules=rules("REL-02"),
        reads=reading(_wrapped, ("reconciliationId",), RELEASE),
    ),
)  # fmt: skip
