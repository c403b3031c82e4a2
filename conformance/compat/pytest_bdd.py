"""What we use of pytest-bdd although it promises none of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pytest_bdd.parser import Step
from pytest_bdd.scenario import scenario_wrapper_template_registry


def steps_of(item: pytest.Item) -> Sequence[Step]:
    """The steps of the scenario that an item is, those of its row of an outline; none where it is no scenario."""
    function: Any = getattr(item, "obj", None)
    template = scenario_wrapper_template_registry.get(function) if function is not None else None
    if template is None:
        return ()
    callspec = getattr(item, "callspec", None)
    row: dict[str, str] = callspec.params.get("_pytest_bdd_example", {}) if callspec else {}
    return template.render(row).steps
