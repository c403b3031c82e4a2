"""The command `init`: from credentials to a target file that was tried."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from conformance.commandline.asking import has_terminal
from conformance.commandline.exit_codes import CANNOT_RUN
from conformance.commandline.telling import complain
from conformance.i18n.messages import mark, tr
from conformance.i18n.sentences import said

if TYPE_CHECKING:
    from conformance.target.config import Place, Target

EMAIL_ENV: Final = "KONCILI_EMAIL"
PASSWORD_ENV: Final = "KONCILI_PASSWORD"  # noqa: S105 - a variable's name

LONGEST_ID: Final = 20
"""Digits of an account's id."""


@click.command(epilog="Exit codes: 0 written, 3 nothing was written. It sends at most 10 requests.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=Path("sandbox.toml"))
@click.option("--base-url", metavar="URL", help="Where the paths /order and /my-accounts begin.")
@click.option("--integrator", metavar="UUID", help="The integrator that the calls are of.")
@click.option("--name", default="sandbox", show_default=True, help="What reports call the target.")
@click.option(
    "--environment", type=click.Choice(["sandbox", "production", "mock"]), default="sandbox", show_default=True
)
@click.option(
    "--email-env", default=EMAIL_ENV, show_default=True, help="The environment variable that holds the email."
)
@click.option(
    "--password-env", default=PASSWORD_ENV, show_default=True, help="The environment variable that holds the password."
)
@click.option(
    "--account", "accounts", multiple=True, metavar="ID:CHANNEL",
    help="An account that is enabled for API imports (repeatable); without it those that GET /my-accounts lists.",
)  # fmt: skip
@click.option("--callback-url", metavar="URL", help="Where the target sends notifications.")
@click.option("--coordination", metavar="STORE", help="What runs share: sqlite, sqlite:PATH or redis://HOST:PORT/DB.")
@click.option(
    "--allow-production",
    metavar="[HOST]",
    is_flag=False,
    flag_value="",
    help="Let the target be the production one on HOST.",
)
def init(file: Path, **given: Any) -> None:
    """Write a target FILE and try it: credentials, accounts, fixtures; what can be exercised, and which commands come next.

    Asks for what is missing where there is a terminal. Email and password are read from the environment, and stand in no file.
    """
    from conformance.errors import CannotRun

    try:
        _init(file, given)
    except CannotRun as error:
        complain(str(error))
        sys.exit(CANNOT_RUN)
    except (click.Abort, KeyboardInterrupt, EOFError):
        click.echo("koncili-conformance: " + tr("interrupted; {file} was not written", file=file), err=True)
        sys.exit(CANNOT_RUN)


def _init(file: Path, given: dict[str, Any]) -> None:
    from conformance.report import first_hour
    from conformance.run.first_look import WAITS_SECONDS, first_look
    from conformance.run.first_steps import next_steps, without_fixture
    from conformance.run.production import ASK, check_permitted
    from conformance.target.config import parse_target
    from conformance.target.target_file import check_free, file_text, write_new
    from conformance.target.waiting import Waiting

    check_free(file)
    stated = [_account(text) for text in given["accounts"]]
    table = _table(given)
    # Until it is known which accounts there are, any one stands in for them: only accounts that are stated are asked about.
    asked = parse_target({**table, "accounts": [{"id": 0, "channel": "?"}]}, "init")
    host = given["allow_production"]
    if host == ASK and asked.environment == "production":
        host = _ask(tr("Type the name of the production host to go on"), "--allow-production=HOST", str)
    check_permitted(asked, file, host or None)
    found = first_look(_with_credentials(asked), stated, Waiting(at_most=WAITS_SECONDS))
    table["accounts"] = [{"id": place.id, "channel": place.channel} for place in found.accounts]
    table["fixtures"] = {**found.fixtures, **table.get("fixtures", {})}
    target = parse_target(table, str(file))
    for text in first_hour.found(
        [(one.mark, one.key, one.what) for one in found.lines], found.requests, found.client_errors
    ):
        click.echo(text)
    write_new(file, file_text(table, without_fixture(target)))
    click.echo(tr("{file}: written, for you alone; email and password are read from the environment", file=file))
    click.echo("")
    for text in next_steps(target, file):
        click.echo(text)


def _table(given: dict[str, Any]) -> dict[str, Any]:
    """The target file as far as the user knows it."""
    from conformance.target.config import one_spelling

    base_url = given["base_url"] or _ask(tr("Base URL of the API (https://...)"), "--base-url", one_spelling)
    integrator = given["integrator"] or _ask(tr("Integrator (a UUID)"), "--integrator", _uuid)
    table: dict[str, Any] = {
        "name": given["name"], "environment": given["environment"], "base_url": base_url, "integrator": integrator,
        "credentials": {"email_env": given["email_env"], "password_env": given["password_env"]},
    }  # fmt: skip
    if given["coordination"]:
        table["coordination"] = given["coordination"]
    if given["callback_url"]:
        table["fixtures"] = {"callback_url": given["callback_url"]}
    return table


def _uuid(text: str) -> str:
    from uuid import UUID

    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("is not a UUID such as 3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11") from None


def _ask(question: str, option: str, read: Callable[[str], str], *, hidden: bool = False) -> str:
    """What the user answers, asked again until it can be read. Raises CannotRun where there is no terminal to ask on."""
    from conformance.errors import CannotRun

    if not has_terminal():
        raise CannotRun(f"{option} is missing, and there is no terminal to ask on")

    def checked(text: str) -> str:
        try:
            return read(text.strip())
        except ValueError as error:
            raise click.UsageError(said(str(error))) from None

    return str(click.prompt(question, value_proc=checked, hide_input=hidden))


def _account(text: str) -> Place:
    """An account as the option gives it. Raises click's own error."""
    from conformance.target.config import Place

    number, _, channel = text.partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_ID and channel):
        raise click.BadParameter(
            said(f"{text!r} is not ID:CHANNEL, such as 19055:CHANNEL_NAME"), param_hint="--account"
        )
    return Place(id=int(number), channel=channel)


def _with_credentials(target: Target) -> Target:
    """The target with email and password: what the environment lacks is asked for, for this look alone, where there is a
    terminal. Raises CannotRun that names what is not set where there is none."""
    from conformance.target.config import Credentials

    names = target.credentials
    if not has_terminal() or all(os.environ.get(name or "") for name in (names.email_env, names.password_env)):
        names.values()
        return target
    found = {}
    for name, what in ((names.email_env or "", mark("email")), (names.password_env or "", mark("password"))):
        question = tr("{what} (written nowhere; export {name} before a run)", what=tr(what), name=name)
        found[what] = os.environ.get(name) or _ask(question, name, str, hidden=what == "password")
    return target.model_copy(update={"credentials": Credentials(**found)})
