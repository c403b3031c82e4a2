"""An update that is refused and changes with what releases are compared, while queries show the order as it was: commands have a
store of their own."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest

import conformance.mock.defects as mock_defects
from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import entries_of
from conformance.engine.bench import Bench
from conformance.engine.machine import prove_machine
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, order_key
from conformance.run.session import Options, open_session
from conformance.verdict.violation import Violation

SEED = 2
"""With this one an order of which an update was refused is released."""


def _kept(world: MockWorld, request: Request) -> None:
    key = order_key(request.fields) if request.endpoint is Endpoint.SUBMIT_ORDER else None
    if key is not None and world.stored(key) and entries_of(request.fields.get("extracts")):
        world.memory[key] = request.fields


def _replaced(order: Body, _: Body | None, world: MockWorld) -> Body:
    if (key := order_key(order)) is not None:
        world.memory.pop(key, None)
    return order


def _unlike_what_was_refused(request: Request, body: Body, world: MockWorld) -> Breach | None:
    key = order_key(body) if request.endpoint is Endpoint.SUBMIT_RELEASE else None
    kept = world.memory.get(key) if key else None
    if kept is None or Counter(entries_of(kept.get("extracts"))) == Counter(entries_of(body.get("releases"))):
        return None
    return Breach("REL-08", "releases", "the entries are not the extracts")


COMPARED = Defect(
    name="ord-16-refused-for-releases",
    statement="Compares releases with an update that it refused, which no query shows.",
    rules=frozenset({"ORD-16"}),
    after_refusal=_kept,
    stores=_replaced,
    objects=_unlike_what_was_refused,
)


def test_a_release_that_is_refused_for_a_refused_update_is_no_fault_of_releases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REL-01 was blamed: the release of such an order, sent once, is accepted."""
    monkeypatch.setattr(mock_defects, "defect", lambda _: COMPARED)
    with closing(open_session(Options(defects=(COMPARED.name,), seed=SEED, shrink=False))) as session:
        session.evidence.expect("machine", "WFL-04", "a scenario")
        with pytest.raises(Violation) as broken:
            prove_machine(Bench(session, "machine"))
    assert broken.value.rule == "ORD-16"
