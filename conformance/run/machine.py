"""What of all that the suite can use is on this machine, and how to get the rest."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path, user_state_path

from conformance.i18n.messages import mark
from conformance.report.html import OLDEST_NODE, HtmlUnavailable, find_allure, find_node, tool_directory

APPLICATION: Final = "koncili-conformance"

OLDEST_PYTHON: Final = (3, 11)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the suite uses."""

    name: str
    used_for: str
    found: str
    """Where it is; "" where it is missing."""
    remedy: str
    """How to get it, or why it can't be used."""
    is_needed: bool = False
    """Whether nothing can be certified without it."""


def parts(which: Callable[[str], str | None] = shutil.which) -> Iterator[Part]:
    """All of them, the needed ones first; `which` finds programs."""
    version = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    yield Part(
        "Python",
        mark("everything"),
        version if sys.version_info >= OLDEST_PYTHON else "",
        f"install {oldest} or later",
        is_needed=True,
    )
    state, cache = user_state_path(APPLICATION), user_cache_path(APPLICATION)
    yield _directory(
        mark("state directory"), mark("what runs of live endpoints have spent"), state, "XDG_STATE_HOME", is_needed=True
    )
    yield _directory(
        mark("cache directory"),
        mark("the same once more, should the first be lost"),
        cache,
        "XDG_CACHE_HOME",
        is_needed=False,
    )
    yield _node()
    yield _allure()
    yield _program(("ssh-keygen",), mark("signing certificates, and gate --allowed-signers"), "openssh-client", which)
    yield _program(
        ("redis-server",),
        mark("the suite's own tests (a Redis that runs share may be anywhere)"),
        "redis-server",
        which,
    )
    yield _program(
        ("chromium", "chromium-browser", "google-chrome"), mark("the suite's own tests of pages"), "chromium", which
    )
    dask = importlib.util.find_spec("distributed")
    yield Part("Dask", "audit --dask", _place(dask.origin) if dask else "", "pip install 'koncili-conformance[dask]'")


def _place(origin: str | None) -> str:
    return str(Path(origin).parent) if origin else ""


def _directory(name: str, used_for: str, path: Path, variable: str, *, is_needed: bool) -> Part:
    """A directory that can be written to: the nearest one that is there decides."""
    there = next(place for place in (path, *path.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        found, why = str(path), ""
    except OSError as error:
        found, why = "", f"{there}: {error.strerror or error}"
    return Part(name, used_for, found, f"{why}; make it writable, or set {variable} to another", is_needed)


def _node() -> Part:
    problems: list[str] = []
    found = find_node(problems) or ""
    wanted = ".".join(map(str, OLDEST_NODE))
    told = "; ".join(problems) or f"no Node {wanted} or newer"
    return Part("Node", mark("the Allure report"), found, f"{told}; koncili-conformance install-allure brings one")


def _allure() -> Part:
    used_for = mark("the Allure report (html/index.html); all else is there without it")
    try:
        return Part("Allure", used_for, find_allure(tool_directory())[-1], "")
    except HtmlUnavailable:
        return Part("Allure", used_for, "", "koncili-conformance install-allure")


def _program(names: tuple[str, ...], used_for: str, package: str, which: Callable[[str], str | None]) -> Part:
    found = next((place for name in names if (place := which(name))), "")
    return Part(names[0], used_for, found, f"Debian, Ubuntu: apt-get install {package}{_others(package)}")


_BREW: Final = {"openssh-client": "openssh", "redis-server": "redis", "chromium": "chromium"}


def _others(package: str) -> str:
    return f"; macOS: brew install {_BREW[package]}" if os.name == "posix" else ""
