"""What a lenient parser reads: with each of its leniencies, with that one alone, and never what stands for no value."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import strategies as st

from conformance.contract.jsontext import dumps
from conformance.contract.nearly_json import (
    AFTER,
    COMMAS,
    COMMENTS,
    HASHES,
    HOLES,
    LENIENCIES,
    LINES,
    MARK,
    NAMES,
    QUOTES,
    read_leniently,
)
from tests.suite.support.properties import JSON_VALUES, prove

READ: Final = {
    # what is sent, what it takes to read it, and what it is read as
    b'{"a": 1} x': (AFTER, {"a": 1}),
    b'{"a": 1}{}': (AFTER, {"a": 1}),
    b"{'a': 1}": (QUOTES, {"a": 1}),
    b"{'a\\'\"': 1}": (QUOTES, {"a'\"": 1}),
    b'{"a": [1,], }': (COMMAS, {"a": [1]}),
    b'{"a": /* } */ 1}': (COMMENTS, {"a": 1}),
    b'// x\n{"a": 1}': (COMMENTS, {"a": 1}),
    b'{"a": "1\n\t2"}': (LINES, {"a": "1\n\t2"}),
    b'{"a": [1,,2]}': (HOLES, {"a": [1, None, 2]}),
    b'{# } x\n"a": 1}': (HASHES, {"a": 1}),
    b"{a: 1, $b : 2}": (NAMES, {"a": 1, "$b": 2}),
    b'\xc3\xaf\xc2\xbb\xc2\xbf{"a": 1}': (MARK, {"a": 1}),
    b'{"a": "// } \'x\' ,]"} x': (AFTER, {"a": "// } 'x' ,]"}),
}


def test_a_comment_behind_the_object_is_text_or_a_comment() -> None:
    for takes in ({AFTER}, {COMMENTS}):
        assert read_leniently(b'{"a": 1} // x', takes) == {"a": 1}
    assert read_leniently(b'{"a": 1} // x', LENIENCIES - {AFTER, COMMENTS}) is None


UNREAD: Final = (
    b"", b"x", b"[1,]", b'{"a": 1', b'{"a": 1,,}', b'{,"a": 1}', b'x {"a": 1}', b'{"a": NaN}', b'{"a": 010.5}', b'{"a": +1}',
    b'{"a": True}', b'{"a": /* }', b"{'a: 1}", b'{"a" 1}', b"a=1", b"\xff{}", b"/*" * 1000, b"{" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize(("body", "leniency", "value"), [(body, *rest) for body, rest in READ.items()], ids=repr)
def test_what_is_nearly_json_is_read_by_who_takes_it(body: bytes, leniency: str, value: object) -> None:
    assert read_leniently(body) == read_leniently(body, {leniency}) == value
    assert read_leniently(body, LENIENCIES - {leniency}) is None


@pytest.mark.parametrize("body", UNREAD, ids=lambda body: repr(body[:20]))
def test_what_is_not_even_nearly_json_is_not_read(body: bytes) -> None:
    assert read_leniently(body) is None


def test_json_is_read_as_it_is() -> None:
    def law(value: dict[str, Any]) -> None:
        text = dumps(value).encode()
        for takes in (LENIENCIES, frozenset[str]()):
            assert repr(read_leniently(text, takes)) == repr(read_leniently(text))

    prove(st.dictionaries(st.text(max_size=4), JSON_VALUES, max_size=3), law, 100)
