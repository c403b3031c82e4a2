"""Property-based conformance tests for Koncili's API, under the one name that an installation has: `koncili_conformance`.

For an integrator's own code: `check_order`, `check_reconciliation` and `check_release` say what is wrong with what it is about to
send.

The wheel lays this folder out as that package (.ci/wheel_layout.py); in a checkout it leads to the checkout's own folders.
May import everything; nothing imports it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from conformance import __version__

if TYPE_CHECKING:
    from conformance.contract.checks import Violation, check_order, check_reconciliation, check_release

__all__ = ["Violation", "__version__", "check_order", "check_reconciliation", "check_release"]


def __getattr__(name: str) -> object:
    """The checks, imported when they are asked for: the command line starts without them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("conformance.contract.checks"), name)
