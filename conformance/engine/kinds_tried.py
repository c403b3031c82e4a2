"""Which kinds of faults this run tries and has tried, and what earlier runs of the same target have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import catalogue
from conformance.engine import economy
from conformance.engine.economy import Earlier, Makeable
from conformance.engine.kill_matrix import KindOf, Refusal
from conformance.engine.kind_turns import ALL, KindTurns, kind_turns
from conformance.planning.smoke import SMOKE
from conformance.run.session import Session
from conformance.target.shared.store_kinds import StoredKinds, is_left_to_smoke
from strategies.faults import Kind
from strategies.scope import Scope

if TYPE_CHECKING:
    from conformance.target.shared.store_kinds import StoredTry

EARLIER_SECONDS: Final = 24 * 3600.0
"""For so long what an earlier run tried counts as tried: a target that changes more seldom than that is rare enough."""


def words_of(kind: KindOf) -> str:
    """A kind as certificates name it, within its rule."""
    return f"{kind.refusal.endpoint.label}: {kind.refusal.fault}: {kind.name}"


@dataclass
class KindsTried:
    """The kinds of one run. Where client errors are counted they are kept in the store; a mock's runs know of none before."""

    session: Session
    scope: Scope
    _failed: set[KindOf] = field(default_factory=set)

    @cached_property
    def _stored(self) -> StoredKinds | None:
        session = self.session
        if session.live is None or not session.target.has_budget:
            return None
        return StoredKinds(
            session.live.store,
            base_url=session.target.base_url,
            contract=catalogue().sha256,
            run=session.common_id or session.live.run.id,
            smoke=session.profile.name == SMOKE,
        )

    @cached_property
    def chosen(self) -> Makeable:
        """The kinds of its fault that each scenario tries."""
        kept, key = self.session.drawn, (KindsTried, repr(self.scope))
        if kept is None or self._stored is not None:
            return self._choose()
        if key not in kept:
            kept[key] = [self._choose()]
        (chosen,) = kept[key]
        return cast("Makeable", chosen)

    def _choose(self) -> Makeable:
        session = self.session
        return economy.choose_kinds(
            self.scope, session.profile, session.seed, self._earlier,
            complete=session.options.complete, leave=session.kinds_left,
        )  # fmt: skip

    @cached_property
    def _turns(self) -> KindTurns:
        return kind_turns(self.chosen, self.session.seed, again=self.session.profile.client_errors is not None)

    def in_turn(self, refusal: Refusal) -> Sequence[tuple[Kind, int | None]]:
        """The same, each with its turn where it has one: where several examples are tried of each, all come up anyway."""
        if self.session.profile.refusals_per_kind > 1 or refusal.endpoint is not Endpoint.SUBMIT_ORDER:
            return [(kind, None) for kind in self.of(refusal)]
        if self.session.replayed is not None:
            return [(kind, turn) for kind in self.of(refusal) for turn in ALL]
        return self._turns.get(refusal, ())

    def of(self, refusal: Refusal) -> tuple[Kind, ...]:
        """The kinds of that fault that are tried; where a finding is replayed those that were tried when it was seen."""
        if self.session.replayed is None:
            return self.chosen.get(refusal, ())
        kinds = economy.makeable(self.scope).get(refusal, ())
        return tuple(kind for kind in kinds if kind.name in self.session.replayed)

    @cached_property
    def _stored_tries(self) -> Mapping[KindOf, StoredTry]:
        """How each kind was tried last before this run."""
        if self._stored is None:
            return {}
        earlier = self._stored.earlier
        return {
            kind: earlier[key] for kind in self._makeable() if (key := (kind.refusal.rule, words_of(kind))) in earlier
        }

    @property
    def _earlier(self) -> Mapping[KindOf, Earlier] | None:
        if self._stored is None:
            return None
        return {
            kind: Earlier(
                age=(age := self._stored.age(stored_try)),
                passed=stored_try.passed,
                counts=age < EARLIER_SECONDS,
                is_left_to=is_left_to_smoke(self._stored, stored_try),
            )
            for kind, stored_try in self._stored_tries.items()
        }

    def _makeable(self) -> Iterable[KindOf]:
        for refusal, kinds in economy.makeable(self.scope).items():
            yield from (KindOf(refusal, kind.name) for kind in kinds)

    def tried(self, kind: KindOf, *, clean: bool) -> None:
        """A kind was refused beside its accepted twin; `clean` is whether nothing else was seen broken meanwhile."""
        self.session.evidence.tried(kind.refusal.rule, words_of(kind))
        self._keep(kind, passed=clean and kind not in self._failed)

    def failed(self, kind: KindOf) -> None:
        """A kind was not refused as it must be."""
        self._failed.add(kind)
        self.session.evidence.tried(kind.refusal.rule, words_of(kind))
        self._keep(kind, passed=False)

    def _keep(self, kind: KindOf, *, passed: bool) -> None:
        if self._stored is not None:
            self._stored.note(kind.refusal.rule, words_of(kind), passed=passed)

    def enter(self) -> None:
        """Enter into the evidence what could have been tried, and what of it earlier runs have."""
        by_rule: dict[str, list[str]] = {}
        for kind in self._makeable():
            by_rule.setdefault(kind.refusal.rule, []).append(words_of(kind))
        for rule, kinds in by_rule.items():
            self.session.evidence.expect_kinds(rule, kinds)
        if self._stored is None:
            return
        for kind, stored_try in self._stored_tries.items():
            if stored_try.passed and self._stored.age(stored_try) < EARLIER_SECONDS:
                at = self._stored.instant(stored_try).isoformat(timespec="seconds")
                self.session.evidence.tried_earlier(kind.refusal.rule, words_of(kind), at)
