"""Values that are known only when a request is sent: a fresh order code, the token of the moment.

Hypothesis runs the same example several times when it shrinks. What must be new at every sending, or is secret, is
therefore drawn as a placeholder and filled in on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The place of a value: which one, and what is done to it (`how` says it in words)."""

    name: str
    change: Callable[[str], object] = _same
    how: str = ""

    def __repr__(self) -> str:
        return f"<{self.name}{', ' + self.how if self.how else ''}>"


CODE: Final = Placeholder("code")
"""The marketplaceCode of the order at hand."""

OTHER_CODE: Final = Placeholder("other_code")
"""A marketplaceCode of the same shape that no order has."""

RECONCILIATION: Final = Placeholder("reconciliation", int)
"""The id of the reconciliation at hand."""

NEIGHBOUR: Final = Placeholder("neighbour")
"""The marketplaceCode of another order in the same reconciliation."""

TOKEN: Final = Placeholder("token")
CREDENTIALS: Final = Placeholder("credentials")
REFRESH_TOKEN: Final = Placeholder("refresh_token")
EMAIL: Final = Placeholder("email")


def fill(value: Any, values: Mapping[str, str]) -> Any:
    """The value with every placeholder filled from `values`; what holds no placeholder is left as it is."""
    if isinstance(value, Placeholder):
        return value.change(values[value.name])
    if isinstance(value, dict):
        return {name: fill(part, values) for name, part in value.items()}
    if isinstance(value, list):
        return [fill(part, values) for part in value]
    return value
