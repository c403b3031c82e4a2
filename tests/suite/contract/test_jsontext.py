"""JSON is read by msgspec where that can, and by simplejson otherwise: the same values, digit for digit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract import jsontext
from conformance.contract.jsontext import NotJSON, dumps, loads

ODD = [
    "", " ", "nul", "-", "01", "1.", ".5", "+1", "1e", "[1,]", "{\"a\":1,}", "[1 2]", "{1:2}", "NaN", "[Infinity]", "\"\t\"",
    "\"\\x41\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"\\/\"", "{\"a\":1,\"a\":2}",
    "-0", "-0.0", "1e5", "1E400", "1e-400", "1e99999999999999999999", "203.630", "2.0363E2", "203.62999999999999545",
    "18446744073709551616", "-9223372036854775809", "1" * 40,
    "1" * 5_000, "0." + "1" * 60,
    "[" * 5_000 + "]" * 5_000, "1\x00", "\ufeff1", "\u00ef\u00bb\u00bf1", "\"\x7f\"",
]  # fmt: skip


def read(how: Any, text: str | bytes) -> str:
    """What is read, with the types and the digits; of a refusal only that it is one."""
    try:
        return repr(how(text))
    except NotJSON:
        return "no JSON"


@pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text)[:30])
def test_both_readers_read_the_same_of_odd_texts(text: str) -> None:
    assert read(loads, text) == read(jsontext._read, text)
    assert read(loads, text.encode()) == read(jsontext._read, text.encode())


NUMBERS = st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)


@given(value=VALUES, escapes=st.booleans())
def test_both_readers_read_the_same_of_json(value: Any, escapes: bool) -> None:
    text = dumps(value)
    if not escapes:
        text = json.dumps(json.loads(text, parse_float=str), ensure_ascii=False)
    data = text.encode("utf-8", "surrogatepass")
    assert read(loads, data) == read(jsontext._read, data)


@given(
    data=st.one_of(
        st.binary(max_size=20), st.text(alphabet='[]{}",:0123456789.eE+- \n\\utrfnals', max_size=20).map(str.encode)
    )
)
def test_both_readers_read_the_same_of_anything(data: bytes) -> None:
    assert read(loads, data) == read(jsontext._read, data)
