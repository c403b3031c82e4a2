"""Why a rule is not exercised on any live endpoint, whatever its target file names: told alike by runs and reports."""

from __future__ import annotations

from typing import Final

NEEDS_CONTROL: Final = {
    "clock": "needs a clock that can be moved; a live endpoint has none",
    "mock": "needs the suite's own mock: on a live endpoint it would lock the integrator out, or nothing documented causes it",
}
"""By what the catalogue says that the rule needs."""

NEEDS_ONE_PROCESS: Final = (
    "needs a run of one process: of several workers one alone can listen where notifications arrive"
)
"""Of what needs a live endpoint's notifications."""
