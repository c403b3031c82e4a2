"""`koncili-conformance cleanup`: finishes what killed runs have left at a target."""

from __future__ import annotations

from collections.abc import Callable

from conformance import escaping
from conformance.errors import CannotRun
from conformance.i18n.messages import tr
from conformance.planning.show import counted
from conformance.run.live import left_elsewhere
from conformance.run.recovery_client import Report
from conformance.run.session import Options, open_session
from conformance.verdict.verdicts import EXIT_CODES, RunVerdict

LISTED_AT_MOST = 20


def clean_up(options: Options, tell: Callable[[str], None], tell_wait: Callable[[str, float], None]) -> int:
    """Clear away what dead runs have left, and tell what was done and what stays; the exit code of `cleanup`.

    Raises CannotRun.
    """
    session = open_session(options, tell=tell_wait)
    live = session.live
    try:
        if live is None:
            raise CannotRun("cleanup needs --target: the mock in process leaves nothing behind")
        for since in live.running:
            tell(f"left alone: a run that is going on since {since}")
        elsewhere = left_elsewhere(live.target, live.store)
        for line in elsewhere:
            tell(line)
        if not live.dead_runs:
            tell(f"nothing is left {'at this base_url ' if elsewhere else ''}of any run that was killed")
            return EXIT_CODES[RunVerdict.CONFORMANT]
        session.log_in()
        told = live.store.unkept()
        for line in told:
            tell(line)
        for line in session.wrong_accounts():  # removed since, perhaps: what can be cleared away is
            tell(escaping.line(line))
        live.recovery.thorough = True
        live.rescue_all()
        for text in words(live.recovery.report):
            tell(escaping.line(text))
        for line in live.store.unkept()[len(told) :]:  # since it began
            tell(line)
        left = live.dead_runs or any(live.ledger.left)
        return EXIT_CODES[RunVerdict.INCONCLUSIVE if left else RunVerdict.CONFORMANT]
    finally:
        session.close()


def words(report: Report) -> list[str]:
    """What was cleared away and what was not, a line each."""
    deleted, completed = counted(report.deleted, "order"), counted(report.completed, "reconciliation")
    lines = [tr("deleted {orders}, completed {reconciliations}", orders=deleted, reconciliations=completed)]
    if report.kept:
        lines += [tr("{orders} nobody can remove:", orders=counted(len(report.kept), "order")), *_some(report.kept)]
    if report.undone:
        lines += [tr("still to be done (run cleanup again):"), *_some(report.undone)]
    return lines


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - LISTED_AT_MOST
    return [f"  {line}" for line in lines[:LISTED_AT_MOST]] + (
        ["  " + tr("and {number} more", number=more)] if more > 0 else []
    )
