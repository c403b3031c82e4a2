"""Property-based conformance tests for Koncili's API, under the one name that an installation has: `koncili_conformance`.

The wheel lays this folder out as that package (.ci/wheel_layout.py); in a checkout it leads to the checkout's own folders.
May import everything; nothing imports it.
"""

from __future__ import annotations

from conformance import __version__

__all__ = ["__version__"]
