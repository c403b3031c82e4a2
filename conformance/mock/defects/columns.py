"""Columns that hold less than what is sent: text is cut or re-coded, amounts and numbers go round, rows are half written."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote_plus

from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach, is_number
from conformance.mock.defects.collations import without_accents
from conformance.mock.defects.parts import SUBMIT, per_extract, reading, rules, where_possible
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, order_key

Fold = Callable[[str], str]
Where = Callable[[Body], bool]

_CENTS_31, _CENTS_32 = 2**31, 2**32
_TEXT_BYTES: Final = 2**16
_UTF8MB3: Final = 0xFFFF


# -- what is sent ---------------------------------------------------------------------------------------------------


def _code(order: Body) -> str:
    return str(order.get("marketplaceCode"))


def _extracts(order: Body) -> list[Any]:
    """They may be anything: a server looks at them before it knows that."""
    given: Any = order.get("extracts")
    return given if isinstance(given, list) else []


def _values(order: Body) -> Iterator[Decimal]:
    extracts = _extracts(order)
    return (Decimal(one["value"]) for one in extracts if isinstance(one, dict) and is_number(one.get("value")))


def _longer(length: int) -> Where:
    return lambda order: len(_code(order)) > length


def _not_in(charset: str) -> Where:
    def holds(order: Body) -> bool:
        try:
            _code(order).encode(charset)
        except UnicodeEncodeError:
            return True
        return False

    return holds


def _beyond(limit: str) -> Where:
    """Whether the value of an extract is no smaller than so many reais."""
    return lambda order: any(abs(value) >= Decimal(limit) for value in _values(order))


def _total_beyond(limit: str) -> Where:

    def holds(order: Body) -> bool:
        total: Any = order.get("totalGrossValue")
        return is_number(total) and abs(Decimal(total)) >= Decimal(limit)

    return holds


def _more_than(number: int) -> Where:
    return lambda order: len(_extracts(order)) > number


# -- what is made of it ---------------------------------------------------------------------------------------------


def _changed(name: str, statement: str, fold: Fold, *blamed: str) -> Defect:
    """Codes are kept changed, found by what is made of the code that is asked for, and shown as they are kept."""

    def stores(order: Body, _previous: Body | None, _world: MockWorld) -> Body:
        kept = per_extract(lambda one: {**one, "marketplaceCode": fold(str(one.get("marketplaceCode")))})
        return {**kept(order), "marketplaceCode": fold(_code(order))}

    return Defect(
        name=name,
        statement=statement,
        rules=rules("ERR-06", *blamed),
        key=lambda key: (key[0], key[1], fold(key[2])),
        stores=stores,
    )


def _crash(name: str, statement: str, where: Where) -> Defect:
    """A 500 where the database refuses."""
    return Defect(
        name=f"err-06-{name}",
        statement=statement,
        rules=rules("ERR-06", "ERR-02", "ERR-05"),
        crashes=lambda request, _: request.endpoint is SUBMIT and where(request.fields),
    )


def _dropped(name: str, statement: str, where: Where) -> Defect:
    """As INSERT IGNORE does: the row is not written, and nobody is told."""

    def stores(order: Body, previous: Body | None, _world: MockWorld) -> Any:
        return previous if where(order) else order

    return Defect(name=f"err-06-{name}", statement=statement, rules=rules("ERR-06"), stores=stores)


def _kept(name: str, statement: str, change: Callable[[Body], Body]) -> Defect:
    return Defect(
        name=f"err-06-{name}", statement=statement, rules=rules("ERR-06"), stores=lambda order, *_: change(order)
    )


def _money(change: Callable[[Decimal], Decimal]) -> Callable[[Body], Body]:
    """A change of the value of each extract and of the total."""
    possible = where_possible(change)

    def changed(value: Any) -> Any:
        return possible(Decimal(value)) if is_number(value) else value

    of_extracts = per_extract(lambda one: {**one, "value": changed(one.get("value"))})
    return lambda order: {**of_extracts(order), "totalGrossValue": changed(order.get("totalGrossValue"))}


def _total(change: Callable[[Decimal], Decimal]) -> Callable[[Body], Body]:
    possible = where_possible(change)

    def changed(order: Body) -> Body:
        total: Any = order.get("totalGrossValue")
        return {**order, "totalGrossValue": possible(Decimal(total))} if is_number(total) else order

    return changed


def _reckoned(order: Body) -> Body:
    """The order with the sum of its sales as its total."""
    extracts: Any = order.get("extracts") or []
    return {**order, "totalGrossValue": sum(one["value"] for one in extracts if one.get("type") == "SALE")}


def _at_most(limit: str) -> Callable[[Decimal], Decimal]:
    """As a database that is not strict does: the largest that the column holds."""
    largest = Decimal(limit)
    return lambda value: max(-largest, min(value, largest))


def _round(modulus: int, least: int) -> Callable[[Decimal], Decimal]:
    """Cents in an integer that goes round."""
    return lambda value: Decimal((int(value * 100) - least) % modulus + least).scaleb(-2)


def _first_extracts(number: int) -> Callable[[Body], Body]:
    def changed(order: Body) -> Body:
        given: Any = order.get("extracts") or []
        return {**order, "extracts": given[:number]}

    return changed


# -- what is refused and written all the same -----------------------------------------------------------------------


def _refused(where: Where) -> Callable[[Request, Body, MockWorld], Breach | None]:
    def objects(request: Request, body: Body, _: MockWorld) -> Breach | None:
        met = request.endpoint is SUBMIT and where(body)
        return Breach("ORD-13", "extracts", "Data too long for column") if met else None

    return objects


_MUCH: Final = _beyond("1000000")


def _in_32_bits(amount: Any) -> Any:
    """An amount whose cents were a 32-bit integer with a sign."""
    if not is_number(amount):
        return amount
    cents = int(Decimal(amount).scaleb(2).to_integral_value())
    return Decimal((cents + _CENTS_31) % _CENTS_32 - _CENTS_31).scaleb(-2) if abs(cents) >= _CENTS_31 else amount


def _half_write(world: MockWorld, request: Request) -> None:
    """The order's row, and the extracts that fit."""
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    if key and _MUCH(request.fields) and not world.stored(key):
        fits = [one for one in request.fields["extracts"] if abs(Decimal(one["value"])) < 10**6]
        world.memory[key] = {**request.fields, "extracts": fits}


def _piled_up(order: Body, _previous: Body | None, world: MockWorld) -> Body:
    key = order_key(order)
    half: Any = world.memory.pop(key, {}) if key else {}
    return {**order, "extracts": [*_extracts(half), *_extracts(order)]}


def _meets_the_half(request: Request, world: MockWorld) -> bool:
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    return key is not None and key in world.memory


def _write_the_long(world: MockWorld, request: Request) -> None:
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    if key and _longer(50)(request.fields) and key[0] in world.accounts:
        world.put(key, request.fields)


def _cut(length: int) -> Fold:
    return lambda code: code[:length]


def _mojibake(code: str) -> str:
    return code.encode().decode("cp1252", "replace") if not code.isascii() else code


def _cut_at_the_first(code: str) -> str:
    """As a utf8mb3 column does that is not strict: what follows the first character that it has not is lost."""
    return re.sub(r"[\U00010000-\U0010ffff].*", "", code, flags=re.DOTALL)


COLUMNS: Final = (
    # codes
    *(_changed(f"err-06-varchar-{length}", f"Cuts codes at {length} characters.", _cut(length))
      for length in (50, 64, 128, 255)),
    _changed("qry-01-varchar-20", "Cuts codes at 20 characters.", _cut(20),
             "QRY-01", "QRY-05", "ORD-01", "ORD-15", "ORD-16", "ORD-17", "QRY-02", "QRY-03", "QRY-04", "DEL-01", "DEL-02",
             "DEL-04", "DEL-05", "REL-01", "REL-10", "REL-11", "REL-13", "WFL-02", "WFL-04"),
    Defect(
        name="err-06-index-of-fifty",
        statement="Looks at the first 50 characters of a code.",
        rules=rules("ERR-06"),
        key=lambda key: (key[0], key[1], key[2][:50]),
    ),
    _crash("varchar-50-strict", "Answers 500 to a code of more than 50 characters.", _longer(50)),
    _crash("varchar-255-strict", "Answers 500 to a code of more than 255 characters.", _longer(255)),
    _dropped("varchar-64-ignored", "Accepts and drops an order with a code of more than 64 characters.", _longer(64)),
    _changed("err-06-latin1", "Keeps codes in Latin-1, question marks for the rest.",
             lambda code: code.encode("latin-1", "replace").decode("latin-1")),
    _crash("latin1-strict", "Answers 500 to a code that is not in Latin-1.", _not_in("latin-1")),
    _changed("err-06-ascii", "Keeps codes without their accents.", without_accents, "QRY-05"),
    _changed("err-06-utf8mb3", "Cuts codes at the first character beyond 16 bits.", _cut_at_the_first,
             "ERR-05"),  # an order without a code is shown to whoever asks for none
    _changed("err-06-utf8mb3-replaced", "Keeps a question mark for each character beyond 16 bits.",
             lambda code: "".join(one if ord(one) <= _UTF8MB3 else "?" for one in code)),
    _crash("utf8mb3-strict", "Answers 500 to a code with a character beyond 16 bits.",
           lambda order: any(ord(one) > _UTF8MB3 for one in _code(order))),
    _changed("err-06-mojibake", "Reads the UTF-8 of codes as Windows-1252.", _mojibake),
    _changed("err-06-normalised", "Keeps codes in their composed form.", lambda code: unicodedata.normalize("NFC", code)),
    _changed("err-06-char-column", "Keeps codes without the blanks at their end.", lambda code: code.rstrip(" "), "QRY-05"),
    _changed("err-06-trimmed", "Keeps codes without the blanks around them.", str.strip, "QRY-05"),
    _changed("err-06-blanks-collapsed", "Keeps one blank for several.", lambda code: re.sub(" +", " ", code)),
    _changed("err-06-escaped", "Keeps codes as HTML.", lambda code: html.escape(code, quote=False)),
    _changed("err-06-backslashes-lost", "Keeps codes without backslashes.", lambda code: code.replace("\\", "")),
    _changed("err-06-unescaped", "Unescapes codes as those of a URL.", unquote_plus),
    _crash("quotes", "Answers 500 to a code with a quotation mark.", lambda order: "'" in _code(order)),
    # amounts
    _kept("decimal-8-2", "Keeps at most 999999.99.", _money(_at_most("999999.99"))),
    _kept("decimal-10-2", "Keeps at most 99999999.99.", _money(_at_most("99999999.99"))),
    _kept("total-decimal-10-2", "Keeps at most 99999999.99 of a total.", _total(_at_most("99999999.99"))),
    _kept("total-reckoned", "Keeps as the total what the sales come to.", _reckoned),
    _kept("31-bit-cents", "Keeps cents in a 32-bit integer.", _money(_round(_CENTS_32, -_CENTS_31))),
    Defect(
        name="err-06-31-bit-cents-read",
        statement="Reads cents into a 32-bit integer, before it looks at their signs (Java's intValue).",
        rules=rules("ERR-06"),
        reads=reading(_in_32_bits, ("value", "totalGrossValue"), SUBMIT),
    ),
    _kept("32-bit-cents", "Keeps cents in 32 bits without a sign.",
          _money(lambda value: _round(_CENTS_32, 0)(value) if value > 0 else value)),
    _kept("32-bit-reais", "Keeps what is over 32 bits in reais.",
          _money(lambda value: value % _CENTS_32 if value >= _CENTS_32 else value)),
    _crash("decimal-9-2-strict", "Answers 500 to a value of ten million.", _beyond("10000000")),
    _crash("decimal-10-2-strict", "Answers 500 to a value of a hundred million.", _beyond("100000000")),
    _crash("total-decimal-10-2-strict", "Answers 500 to a total of a hundred million.", _total_beyond("100000000")),
    _crash("31-bit-reais", "Answers 500 to a value beyond 31 bits in reais.", _beyond("2147483648")),
    _crash("decimal-12-2-strict", "Answers 500 to a value of ten billion.", _beyond("10000000000")),
    _dropped("decimal-10-2-ignored", "Accepts and drops an order with a value of a hundred million.", _beyond("100000000")),
    # numbers
    _kept("fifty-extracts", "Keeps the first 50 extracts.", _first_extracts(50)),
    _kept("255-extracts", "Keeps the first 255 extracts.", _first_extracts(255)),
    Defect(
        name="err-06-a-page-of-extracts",
        statement="Shows the first hundred extracts.",
        rules=rules("ERR-06"),
        shows=_first_extracts(100),
    ),
    _crash("8-bit-positions", "Answers 500 to more than 127 extracts.", _more_than(127)),
    _crash("text-of-64-kib", "Answers 500 to an order of more than 64 KiB.",
           lambda order: len(dumps(order)) > _TEXT_BYTES),
    # half written
    Defect(
        name="err-06-half-written",
        statement="Refuses a value of a million, and keeps the extracts that it had written before.",
        rules=rules("ERR-06"),
        objects=_refused(_MUCH),
        after_refusal=_half_write,
        stores=_piled_up,
    ),
    Defect(
        name="err-06-half-written-row",
        statement="Refuses a value of a million, and answers 500 to the order that is sent without it.",
        rules=rules("ERR-06", "ERR-02"),
        objects=_refused(_MUCH),
        after_refusal=_half_write,
        crashes=_meets_the_half,
    ),
    Defect(
        name="err-06-refused-and-written",
        statement="Refuses a code of more than 50 characters, and keeps the order.",
        rules=rules("ERR-06"),
        objects=_refused(_longer(50)),
        after_refusal=_write_the_long,
    ),
)  # fmt: skip
