"""What several tries of one finding say of it."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest

from conformance.replay.tries import SURE, TRIES, Fate, Tally, Tried

SHOWN: Final = Tried(shown=True, told="it was accepted")
CLEAN: Final = Tried()
NOT_MADE: Final = Tried(why_not="needs a thing")

BY_LETTER: Final = {"s": SHOWN, "c": CLEAN, "n": NOT_MADE}


def tally(letters: str, most: int = TRIES) -> Tally:
    """The tries that would be made of those: no more once all is clear."""
    made = Tally(most)
    for letter in letters:
        if made.is_clear:
            break
        made = made.having(BY_LETTER[letter])
    return made


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ("sss", "still there (3 of 3)"),
        ("ccccc", "fixed (not seen in 5)"),
        ("scccs", "flaky (2 of 5)"),
        ("ccccs", "flaky (1 of 5)"),
        ("ssccc", "flaky (2 of 5)"),
        ("n", "can't be tried: needs a thing"),
        ("ccn", "can't be tried: needs a thing"),
        ("sn", "still there (1 of 1)"),
        ("scn", "flaky (1 of 2)"),
        ("", "can't be tried: no try was made"),
    ],
)
def test_what_the_tries_say(letters: str, words: str) -> None:
    assert tally(letters).words == words


def test_nothing_that_showed_counts_as_fixed_nor_what_was_not_tried_to_the_end() -> None:
    for letters in product("scn", repeat=TRIES):
        made = tally("".join(letters))
        assert made.is_clear
        if made.fate is Fate.FIXED:
            assert made.tries == (CLEAN,) * TRIES
        if made.fate is Fate.STILL_THERE:
            assert CLEAN not in made.tries
            assert SHOWN in made.tries


def test_what_shows_each_time_is_not_tried_on() -> None:
    assert tally("s" * TRIES).tries == (SHOWN,) * SURE


def test_one_try_is_enough_where_no_more_are_wanted() -> None:
    assert tally("c", most=1).fate is Fate.FIXED
    assert tally("s", most=1).fate is Fate.STILL_THERE


def test_what_was_seen_is_told() -> None:
    assert tally("scccc").told == SHOWN.told
    assert tally("ccccc").told == ""
