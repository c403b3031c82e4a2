"""What we use of Hypothesis although it promises none of it."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final, TypeVar

from hypothesis.internal import charmap
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

Test = TypeVar("Test", bound=Callable[..., object])

NO_CONSTANTS: Final = Constants()


def _none() -> Constants:
    return NO_CONSTANTS


UTF8_TABLE: Final = "codec-v2-utf-8"
ENCODABLE: Final = ((0, 0xD7FF), (0xE000, 0x10FFFF))
"""The characters that UTF-8 can encode, each to what decodes to it again: all but surrogates. (Unicode 15, 3.9 D92)"""


class SearchEnded(BaseException):
    """Raised by an example, ends all of Hypothesis's search at once: it takes only an Exception for a failure of the example."""


@cache
def know_utf8() -> None:
    """Put the table of the characters of UTF-8, which Schemathesis draws from, where Hypothesis keeps such tables: it would try
    each character of Unicode for it, which takes a second and 200 MB in every fresh environment. To be called once its
    directory is set."""
    table = Path(charmap.charmap_file(UTF8_TABLE))
    if table.exists():
        return
    with suppress(OSError):  # a directory that can't be written to costs that second and no more
        table.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=table.parent)
        with os.fdopen(number, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=1) as packed:
            packed.write(json.dumps([ENCODABLE, []]).encode())
        Path(name).replace(table)


def draw_no_constants() -> None:
    """From now on no literal of a module that happens to be loaded is drawn: one seed would then mean other cases with a defect
    or variant, and in an installed suite."""
    providers._get_local_constants = _none


def draws_no_constants() -> bool:
    """Whether that is so."""
    return providers._get_local_constants is _none


@contextmanager
def drawing_no_constants() -> Iterator[None]:
    """The same for a while."""
    before = providers._get_local_constants
    providers._get_local_constants = _none
    try:
        yield
    finally:
        providers._get_local_constants = before


def without_key(test: Test) -> Test:
    """The property, to be run with a seed of its own and no database: Hypothesis would read and take apart its source each time,
    to know it again."""
    vars(test)["_hypothesis_internal_database_key"] = b""
    return test


def unchanged_by(change: Callable[[], object]) -> None:
    """Do what changes Hypothesis for the whole process, as importing Schemathesis does, and put back what it changed."""
    import hypothesis
    from hypothesis import core
    from hypothesis.internal import entropy, reflection
    from hypothesis.internal.conjecture import engine
    from hypothesis.strategies._internal import collections
    from hypothesis.strategies._internal import core as strategies
    from hypothesis.vendor import pretty

    buffer_size = engine.BUFFER_SIZE
    change()
    unchanged: tuple[tuple[ModuleType, str, object], ...] = (
        # Its printer prints nothing: the arguments of every falsifying example would be blank.
        (core, "RepresentationPrinter", pretty.RepresentationPrinter),
        # Its buffer is four times as large: examples grow larger, health checks and shrinking act otherwise.
        (engine, "BUFFER_SIZE", buffer_size),
        (core, "BUFFER_SIZE", buffer_size),
        (collections, "BUFFER_SIZE", buffer_size),
        # Its own does not look whether Hypothesis's own Random is referenced elsewhere: only speed, for many threads.
        (entropy, "register_random", hypothesis.register_random),
        # Its own remembers the answer for a thousand functions: only speed, and it keeps their code alive.
        (strategies, "is_first_param_referenced_in_function", reflection.is_first_param_referenced_in_function),
    )
    for module, name, value in unchanged:
        setattr(module, name, value)
    # One effect is left: Hypothesis has made its global Random, as it does by itself at the first property.
