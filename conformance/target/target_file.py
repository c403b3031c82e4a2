"""A target file written for somebody who has none yet: what is known, and what else may go in, as comments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from conformance.errors import CannotRun
from conformance.toml_values import toml

_OPTIONAL: Final = {
    "inactive_account": '{ id = 20001, channel = "CHANNEL_NAME" }',
    "disabled_account": '{ id = 20002, channel = "CHANNEL_NAME" }        # not enabled for API imports',
    "unauthorised_channel": '{ id = 19055, channel = "OTHER_CHANNEL" }   # exists, but is not this account\'s',
    "foreign_order": '{ id = 19055, channel = "CHANNEL_NAME", marketplaceCode = "FOREIGN-1" }  # did not come through the API',
    "callback_url": '"https://YOUR-HOST/notifications"               # where the target sends notifications',
}
"""By the name of each fixture how it is stated."""


def file_text(table: Mapping[str, Any], without_fixture: Mapping[str, str] = MappingProxyType({})) -> str:
    """A target file of this table, as `Target` reads it: strings, integers, tables of them, and `accounts`. `without_fixture` has
    the rules that want a fixture that is not in it, each with its name."""
    return "\n".join(_lines(table, without_fixture)) + "\n"


def _lines(table: Mapping[str, Any], without_fixture: Mapping[str, str]) -> Iterator[str]:
    for name, value in table.items():
        if not isinstance(value, dict | list):
            yield f"{name} = {toml(value)}"
    yield ""
    yield "[credentials]                          # the names of environment variables: no secret stands in this file"
    yield from (f"{name} = {toml(value)}" for name, value in table["credentials"].items())
    for account in table["accounts"]:
        yield ""
        yield "[[accounts]]                           # enabled for API imports"
        yield from (f"{name} = {toml(value)}" for name, value in account.items())
    fixtures = table.get("fixtures", {})
    yield ""
    yield "[fixtures]                             # each lets more rules be exercised"
    yield from (f"{name} = {toml(value)}" for name, value in fixtures.items())
    yield from (f"# {name} = {shown}" for name, shown in _OPTIONAL.items() if name not in fixtures)
    yield ""
    yield "[readings]                             # any left out is found out by probing, or has its default"
    if without_fixture:
        yield ""
        yield "# [not_exercised]                      # for what you can't give above, your reason: the gate refuses other skips"
        yield from (f'# {rule} = "no {fixture}: YOUR REASON"' for rule, fixture in without_fixture.items())


def check_free(path: Path) -> None:
    """Raises CannotRun where there is something at the path, or no directory for it."""
    if os.path.lexists(path):
        raise CannotRun(f"{path}: is there already, and is not written over; name another file, or remove it")
    if not path.parent.is_dir():
        raise CannotRun(f"{path}: there is no directory {path.parent}; make it, or name another file")


def write_new(path: Path, text: str) -> None:
    """Write a file that is the user's alone and was not there before, whole or not at all. Raises CannotRun."""
    check_free(path)
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CannotRun(f"{path}: is there already, and is not written over; name another file") from None
    except OSError as error:
        raise CannotRun(f"{path}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(text)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CannotRun(f"{path}: cannot be written: {error.strerror}") from None
        raise
