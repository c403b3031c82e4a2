"""What is made once is made once, also where two ask at the same time, and is made again where it failed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.suite.support.made_once import made_once


def test_it_is_made_once_for_all_who_ask(tmp_path_factory: pytest.TempPathFactory) -> None:
    made: list[Path] = []

    def make(directory: Path) -> list[str]:
        made.append(directory)
        (directory / "left").touch()
        return [str(directory)]

    name = tmp_path_factory.mktemp("any").name
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: made_once(tmp_path_factory, name, make), range(4)))
    assert [[str(place)] for place in made] == found[:1]
    assert all(each == found[0] for each in found)
    assert (made[0] / "left").exists()


def test_what_failed_is_made_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    tries: list[Path] = []

    def make(directory: Path) -> int:
        tries.append(directory)
        if len(tries) == 1:
            raise LookupError("the first time")
        return len(tries)

    name = tmp_path_factory.mktemp("failing").name
    with pytest.raises(LookupError):
        made_once(tmp_path_factory, name, make)
    assert made_once(tmp_path_factory, name, make) == 2
