"""What a pytest item says of the scenario that it is, and where the scenarios are."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.rules import Rule, catalogue

SCENARIOS: Final = Path("tests", "certification")
"""Where they are, below the suite's root."""


def suite_root() -> Path:
    """Where features/ and tests/certification/ are: the checkout, or inside the installed package."""
    package = Path(__file__).parents[1]
    installed = package / "_suite"
    return installed if installed.is_dir() else package.parent


def feature_files() -> dict[str, str]:
    """The features, by their paths below the suite's root. Raises OSError."""
    root = suite_root()
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((root / "features").glob("*.feature"))
    }


def rule_of(item: pytest.Item) -> Rule | None:
    """The rule that it is tagged with; None where it is no scenario of a rule."""
    marker = item.get_closest_marker("rule")
    return catalogue()[marker.args[0]] if marker else None


def scenario_name(item: pytest.Item) -> str:
    """The scenario's title, with the row of its outline. pytest-bdd keeps `Feature: title` as the docstring."""
    title = (getattr(item, "obj", None).__doc__ or item.name).partition(": ")[2] or item.name
    callspec = getattr(item, "callspec", None)
    row: dict[str, str] = callspec.params.get("_pytest_bdd_example", {}) if callspec else {}
    filled = title
    for name, value in row.items():
        filled = filled.replace(f"<{name}>", value)
    return f"{title} [{callspec.id}]" if callspec and filled == title else filled


def leave_out(items: list[pytest.Item], rules: Collection[str]) -> None:
    """Keep the scenarios of these rules only; none named means all."""
    kept = [item for item in items if not rules or ((rule := rule_of(item)) is not None and rule.id in rules)]
    if len(kept) < len(items):
        dropped = [item for item in items if item not in kept]
        items[0].config.hook.pytest_deselected(items=dropped)
        items[:] = kept
