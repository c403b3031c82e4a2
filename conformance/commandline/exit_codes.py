"""The rim of the command line: whatever happens inside, the process ends with an exit code that says it. Python itself would
end with 1 where an error was not foreseen, and click where it was interrupted: a gate takes that for nonconformant."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn

import click

from conformance import streams
from conformance.commandline.language import in_their_language, language_option, speaking_to
from conformance.errors import CannotRun
from conformance.i18n.sentences import said

CANNOT_RUN: Final = 3
INTERRUPTED: Final = 2

_CODES: Final = (0, 1, 2, 3)

_SECRET: Final = re.compile(r"PASS|SECRET|TOKEN|EMAIL|CREDENTIAL|KEY", re.IGNORECASE)
"""Names of environment variables whose values may be secrets."""


class Rim(click.Group):
    """A group of commands that ends in order, and speaks the language of who calls it."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(language_option())

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, which takes --lang as the group itself does."""
        cmd.params.append(language_option())
        super().add_command(cmd, name)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command and end the process."""
        streams.mend()
        given = args[0] if args else extra.get("args")

        def run() -> int:
            with speaking_to(sys.argv[1:] if given is None else given, os.environ, _tell), in_their_language(self):
                return code_of(lambda: super(Rim, self).main(*args, **{**extra, "standalone_mode": False}))

        code = code_of(run)
        if why := streams.flush():
            _tell(why)
            streams.flush()
            code = code or CANNOT_RUN
        sys.exit(code)


def code_of(run: Callable[[], Any]) -> int:
    """The exit code of what is run, and where it broke down a message."""
    try:
        ended = run()
    except SystemExit as end:
        ended = end.code
    except click.ClickException as error:
        error.show()
        return CANNOT_RUN
    except (click.Abort, KeyboardInterrupt):
        _tell("interrupted; the results may not be whole")
        return INTERRUPTED
    except CannotRun as error:
        _tell(str(error))
        return CANNOT_RUN
    except BaseException as error:
        break_down(error)
        return CANNOT_RUN
    if isinstance(ended, str):
        _tell(ended)
        return CANNOT_RUN
    return ended if ended in _CODES else CANNOT_RUN if ended else 0


def break_down(error: BaseException) -> None:
    """Tell of an error that nobody foresaw: in a line, the traceback with -v or else in a file, both without secrets."""
    named = "".join(traceback.format_exception_only(error)).strip().splitlines()
    story = "".join(traceback.format_exception(error))
    short = _redacted(named[-1] if named else type(error).__name__)
    if {"-v", "--verbose"} & set(sys.argv):
        _tell(f"harness error: {short}\n{_redacted(story)}")
    else:
        _tell(
            f"harness error: {short}\nThis is a fault of the suite or of this machine, not of the target; {_kept(story)}"
        )


def _kept(story: str) -> str:
    """Where the traceback is kept."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", prefix="koncili-conformance-", suffix=".txt", delete=False
        ) as kept:
            kept.write(_redacted(story))
    except OSError:
        return "with -v it is told at length"
    return f"the traceback is in {kept.name}"


def _redacted(text: str) -> str:
    """The text without what any part of this process knows to be a secret, or the environment seems to hold as one."""
    from conformance.target.wire.redaction import Redactor, redacted_by_all

    redactor = Redactor()
    for name, value in os.environ.items():
        if _SECRET.search(name):
            redactor.learn(value, name)
    return redacted_by_all(redactor.text(text))


def _tell(text: str) -> None:
    try:
        print(f"koncili-conformance: {said(text)}", file=sys.stderr, flush=True)
    except (OSError, ValueError):  # nobody is there to be told: the exit code says it
        streams.flush()
