"""The command `koncili-conformance`, as installations call it."""

from __future__ import annotations

from conformance.commandline.entry import main

__all__ = ["main"]
