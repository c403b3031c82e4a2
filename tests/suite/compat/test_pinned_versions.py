"""What is pinned for a checkout lies within what the package allows: else the tests run with what no user gets installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[3]


def _allowed() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *(one for more in project["optional-dependencies"].values() for one in more)]
    found = {canonicalize_name((one := Requirement(text)).name): one for text in listed}
    return {name: one for name, one in found.items() if one.marker is None or one.marker.evaluate()}


def _pinned(file: str) -> dict[str, str]:
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
    return {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.]+)", text, re.M)
    }


ALLOWED: Final = _allowed()


@pytest.mark.parametrize("file", ["run.txt", "dev.txt", "docs.txt"])
@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_pinned_is_allowed(name: str, file: str) -> None:
    pinned = _pinned(file).get(name)
    if pinned is None:
        assert name in {**_pinned("dev.txt"), **_pinned("docs.txt")}, f"{name} is pinned nowhere: make lock"
    else:
        assert ALLOWED[name].specifier.contains(pinned), (
            f"{file} pins {name} {pinned}: mend its bounds in pyproject.toml"
        )
