"""Property-based conformance tests for Koncili's API: the library behind the scenarios."""

from __future__ import annotations

__version__ = "0.1.0"
