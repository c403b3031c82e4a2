"""What is found out of a target's readings by requests, where its target file does not say."""

from __future__ import annotations

from contextlib import closing

import pytest

from conformance.engine.bench import Bench
from conformance.engine.probes import ABOUT_BATCHES, probe_batches
from conformance.run.session import Options, open_session

READINGS = [("inclusive", ()), ("exclusive", ("ends-not-covered",)), ("half-open", ("end-not-covered",))]


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize(("bounds", "variants"), READINGS, ids=[bounds for bounds, _ in READINGS])
def test_a_release_that_sees_its_order_late_is_not_read_as_refused_for_its_date(
    bounds: str, variants: tuple[str, ...], *, late: bool
) -> None:
    variants = (*variants, "orders-seen-late") if late else variants
    with closing(open_session(Options(variants=variants))) as session:
        bench = Bench(session, "probes")
        session.evidence.expect("probes", "REL-20", "a scenario")
        session.readings_from |= dict.fromkeys(ABOUT_BATCHES, "default")
        probe_batches(bench, bench.reconciliations)
        assert session.readings["period-bounds"] == bounds
        assert session.readings["value-mismatch"] == "rejected"
