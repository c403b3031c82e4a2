"""How verdicts are drawn, alike in every report."""

from __future__ import annotations

from typing import Final

from conformance.verdict.verdicts import RuleVerdict, RunVerdict

SYMBOLS: Final = {
    RuleVerdict.PASS: "✓",
    RuleVerdict.FAIL: "✗",
    RuleVerdict.NOT_EXERCISED: "○",
    RuleVerdict.INCONCLUSIVE: "?",
    RuleVerdict.WAIVED: "~",
}

RUN_SYMBOLS: Final = {
    RunVerdict.CONFORMANT: SYMBOLS[RuleVerdict.PASS],
    RunVerdict.NONCONFORMANT: SYMBOLS[RuleVerdict.FAIL],
    RunVerdict.PARTIAL: SYMBOLS[RuleVerdict.NOT_EXERCISED],
    RunVerdict.INCONCLUSIVE: SYMBOLS[RuleVerdict.INCONCLUSIVE],
}
