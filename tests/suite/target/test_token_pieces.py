"""Pieces of tokens are found wherever they stand."""

from __future__ import annotations

import string

import pytest

from conformance.target.wire.encoded_secrets import SHORTEST_PIECE
from conformance.target.wire.token_pieces import Pieces

TOKEN = string.ascii_letters + string.digits + "-._~+/="


@pytest.fixture
def pieces() -> Pieces:
    pieces = Pieces()
    assert pieces.learn(TOKEN, "<blot>")
    return pieces


@pytest.mark.parametrize("before", range(2 * SHORTEST_PIECE))
def test_a_shortest_piece_is_found_at_every_place(before: int, pieces: Pieces) -> None:
    for start in range(len(TOKEN) - SHORTEST_PIECE + 1):
        piece = TOKEN[start : start + SHORTEST_PIECE]
        for behind in ("", "!", "!" * SHORTEST_PIECE):
            text = "!" * before + piece + behind
            assert pieces.are_in(text), text
            assert pieces.blotted(text) == "!" * before + "<blot>" + behind


def test_a_shorter_one_is_no_secret(pieces: Pieces) -> None:
    assert pieces.blotted(text := f"!{TOKEN[: SHORTEST_PIECE - 1]}!") == text


@pytest.mark.parametrize("token", ["", "short", "not made like a token"])
def test_what_has_no_pieces(token: str) -> None:
    pieces = Pieces()
    assert not pieces.learn(token, "<blot>")
    assert not pieces.are_in(token * 3)


def test_parts_of_one_are_none(pieces: Pieces) -> None:
    parts = [TOKEN[start : start + SHORTEST_PIECE - 1] for start in range(0, len(TOKEN), 5)]
    assert not pieces.are_in("!".join(parts))
    assert pieces.are_in("!".join([*parts, TOKEN[3 : 3 + SHORTEST_PIECE], *parts]))


def test_a_piece_reads_as_the_first_token_that_has_it(pieces: Pieces) -> None:
    assert pieces.learn(TOKEN[:20] + TOKEN[::-1], "<other>")
    assert pieces.learn(TOKEN, "<again>")
    assert pieces.blotted(f"!{TOKEN[:20]}! !{TOKEN[30:10:-1]}!") == "!<blot>! !<other>!"
    assert TOKEN[-SHORTEST_PIECE:] + TOKEN[:20] not in pieces
    assert not pieces.are_in(f"{TOKEN[-10:]}\n{TOKEN[:10]}")
