"""What a run has to work with: accounts, fixtures and readings, as the strategies see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from conformance.contract.readings import EXTRACT_TYPES, RELEASE_TYPES


@dataclass(frozen=True, slots=True)
class Place:
    """An account on a channel."""

    account: int
    channel: str


@dataclass(frozen=True, slots=True)
class Days:
    """When orders are created: from an instant on, within so many seconds."""

    start: datetime
    seconds: int


DAYS: Final = Days(datetime(2024, 1, 1, tzinfo=UTC), 540 * 86_400)
"""A year and a half, so that all that follows lies in the past."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts that orders may be sent to, the target's fixtures by name, and the readings of the run."""

    places: tuple[Place, ...]
    readings: Mapping[str, str]
    fixtures: Mapping[str, Place] = field(default_factory=dict)
    foreign_code: str | None = None
    days: Days = DAYS
    opened_at: tuple[Place, ...] = ()
    """Where reconciliations are to be opened, where nothing else is asked for; anywhere where none is named."""
    shortest: int = 0
    """Seconds that periods last at least, where the target was seen to refuse shorter ones."""

    @property
    def extract_types(self) -> tuple[str, ...]:
        """The types that an order's extracts may have."""
        return EXTRACT_TYPES[self.readings["extract-types"]]

    @property
    def releasable_types(self) -> tuple[str, ...]:
        """The types that an order's extracts may have and that releases take."""
        return tuple(type_ for type_ in self.extract_types if type_ in RELEASE_TYPES)

    @property
    def account_id_forms(self) -> tuple[type[int] | type[str], ...]:
        """How accountId may be written in a body."""
        forms: dict[str, tuple[type[int] | type[str], ...]] = {"integer": (int,), "string": (str,)}
        return forms.get(self.readings["account-id-type"], (int, str))

    def on(self, *, account: int | None = None, channel: str | None = None) -> tuple[Place, ...]:
        """The places of that account, or on that channel."""
        return tuple(
            place
            for place in self.places
            if (account is None or place.account == account) and (channel is None or place.channel == channel)
        )

    def neighbours(self, place: Place) -> tuple[Place, ...]:
        """Other accounts on the same channel."""
        return tuple(other for other in self.on(channel=place.channel) if other != place)
