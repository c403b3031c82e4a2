"""What a shell completes besides commands and options: rules, profiles, defects, variants. Loaded when it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

Complete = Callable[["click.Context", "click.Parameter", str], list[str]]


def _of(names: Callable[[], Iterable[str]]) -> Complete:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        del context, parameter
        return sorted(name for name in names() if name.lower().startswith(incomplete.lower()))

    return complete


def _rules() -> Iterable[str]:
    from conformance.contract.rules import every_rule

    return every_rule().rules


def _profiles() -> Iterable[str]:
    from conformance.profiles import PROFILES

    return PROFILES


def _defects() -> Iterable[str]:
    from conformance.mock.defects import DEFECTS

    return DEFECTS


def _variants() -> Iterable[str]:
    from conformance.mock.variants import VARIANTS

    return VARIANTS


rules, profiles, defects, variants = _of(_rules), _of(_profiles), _of(_defects), _of(_variants)
