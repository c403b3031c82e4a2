"""A production target is used only by whoever names its host: on the command line, or when asked on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conformance.errors import CannotRun
from conformance.target.config import Target, load_target

ASK = ""
"""What --allow-production gives without a value."""


def named_host(target_file: Path | None, given: str | None, ask: Callable[[str], str] | None) -> str | None:
    """The host that may be used in spite of being production, None where none was named.

    `given` is the option's value; where it has none, `ask` asks for it on the terminal that there is (None: there is none).
    Raises CannotRun where nobody can be asked, and for what is wrong with the target file.
    """
    if given != ASK or target_file is None:
        return given or None
    target = load_target(target_file)
    if target.environment != "production":
        return None
    if ask is None:
        raise CannotRun(
            f"{target_file}: {target.name} is a production target and there is no terminal to ask on; name its host: "
            "--allow-production=HOST"
        )
    return ask(
        f"{target.name} is a production target, and this suite sends orders that are wrong on purpose.\n"
        "Type the name of its host to go on"
    ).strip()


def check_permitted(target: Target, origin: Path, host: str | None) -> None:
    """Raises CannotRun for a production target whose host was not named."""
    if target.environment != "production" or host == target.host:
        return
    if host is not None:
        raise CannotRun(f"{origin}: the production host of {target.name} is not {host!r}; nothing was sent")
    raise CannotRun(
        f"{origin}: {target.name} is a production target, and this suite sends orders that are wrong on purpose; "
        "if that is what you want, name its host: --allow-production=HOST"
    )
