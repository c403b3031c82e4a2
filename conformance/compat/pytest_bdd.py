"""What we use of pytest-bdd although it promises none of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, Final
from weakref import WeakKeyDictionary

import pytest
from pytest_bdd.parser import Step
from pytest_bdd.scenario import scenario_wrapper_template_registry


@contextmanager
def steps_found_once() -> Iterator[None]:
    """While pytest runs in here, pytest-bdd looks for the definition of a step once for all scenarios of a module, which see the
    same ones: it would go through all the fixtures that there are for each step, which takes longer than most steps. What
    arguments a definition has it finds out once, too."""
    scenario = import_module("pytest_bdd.scenario")  # the package has a function of that name
    look_for = scenario.find_fixturedefs_for_step
    known: WeakKeyDictionary[pytest.Item | pytest.Collector, dict[tuple[str, str], tuple[Any, ...]]] = (
        WeakKeyDictionary()
    )

    def found(step: Step, fixturemanager: Any, node: Any) -> Iterable[Any]:
        of_module = known.setdefault(node.parent, {})
        key = (step.type, step.name)
        if key not in of_module:
            of_module[key] = tuple(look_for(step, fixturemanager, node))
        return of_module[key]

    signature = scenario.signature
    vars(scenario).update(find_fixturedefs_for_step=found, signature=cache(signature))
    try:
        yield
    finally:
        vars(scenario).update(find_fixturedefs_for_step=look_for, signature=signature)


_STEPS: Final = pytest.StashKey[Sequence[Step]]()


def steps_of(item: pytest.Item) -> Sequence[Step]:
    """The steps of the scenario that an item is, those of its row of an outline; none where it is no scenario. They are put
    together once: a proof asks for those of each scenario anew for each mock."""
    if _STEPS not in item.stash:
        item.stash[_STEPS] = _steps_of(item)
    return item.stash[_STEPS]


def _steps_of(item: pytest.Item) -> Sequence[Step]:
    function: Any = getattr(item, "obj", None)
    template = scenario_wrapper_template_registry.get(function) if function is not None else None
    if template is None:
        return ()
    callspec = getattr(item, "callspec", None)
    row: dict[str, str] = callspec.params.get("_pytest_bdd_example", {}) if callspec else {}
    return template.render(row).steps
