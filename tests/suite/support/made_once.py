"""What takes long to make and is only looked at is made once in a test run, not once in each of its processes."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

T = TypeVar("T")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """What `make` makes in a directory of that name, which is told to it; in another process of the same test run, when it is
    made. What it makes must be such as can be pickled, and nobody may change what it leaves in the directory. Raises what `make`
    raises, in each process that asks."""
    own = factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once"
    place.mkdir(exist_ok=True)
    made = place / f"{name}.pickle"
    with FileLock(place / f"{name}.lock"):
        if not made.exists():
            directory = place / name
            directory.mkdir(exist_ok=True)
            content = pickle.dumps(make(directory))
            made.write_bytes(content)
        found: T = pickle.loads(made.read_bytes())  # noqa: S301 - written above
    return found
