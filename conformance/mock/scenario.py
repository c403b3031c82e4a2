"""A scenario file (TOML): how a mock is from the start, and which faults happen to its clients."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.contract.callbacks import callback_fault
from conformance.errors import CannotRun
from conformance.mock.fault_plans import Malformed, plans_of
from conformance.mock.faults import Plan
from conformance.mock.koncili import Koncili

ENCODING: Final = "utf-8-sig"
"""Editors of Windows begin a file with a byte order mark."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a scenario file states."""

    name: str = ""
    variants: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    limits: bool = False
    callback_url: str | None = None
    faults: tuple[Plan, ...] = ()

    def begin(self, koncili: Koncili) -> None:
        """Let its faults happen, and send notifications where it says. Its quirks and limits a mock is made with."""
        koncili.notifier.url = self.callback_url
        koncili.faults.play(self.faults)


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file. Raises CannotRun that names the key and the remedy."""
    try:
        return scenario_of(tomllib.loads(path.read_text(encoding=ENCODING)))
    except OSError as error:
        raise CannotRun(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotRun(f"{path}: no TOML: {error}") from None
    except Malformed as error:
        raise CannotRun(f"{path}: {error}") from None


def scenario_of(table: Mapping[str, Any]) -> Scenario:
    """The scenario that a table states. Raises Malformed."""
    for name in table:
        if name not in KEYS:
            raise Malformed(f"no key {name!r}; there are {', '.join(KEYS)}")
    known = {KEYS[name][0]: KEYS[name][1](name, value) for name, value in table.items()}
    return Scenario(**known)


def _names(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Malformed(f"{key} is a list of names, not {value!r}")
    return tuple(value)


def _bool(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Malformed(f"{key} is true or false, not {value!r}")
    return value


def _url(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{key} is a URL, not {value!r}")
    if fault := callback_fault(value):
        raise Malformed(f"{key} {fault}")
    return value


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{key} is a text, not {value!r}")
    return value


def _faults(key: str, value: Any) -> tuple[Plan, ...]:
    try:
        return tuple(plans_of(value))
    except Malformed as error:
        raise Malformed(f"{key} {error}") from None


KEYS: Final[Mapping[str, tuple[str, Callable[[str, Any], Any]]]] = {
    "name": ("name", _text),  # for people
    "variants": ("variants", _names),
    "defects": ("defects", _names),
    "limits": ("limits", _bool),
    "callback_url": ("callback_url", _url),
    "faults": ("faults", _faults),
}
"""What a scenario may state: the field, and how it is read."""
