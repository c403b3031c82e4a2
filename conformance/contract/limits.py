"""The documented limits: how many calls a minute, how many client errors an hour, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from conformance.contract.endpoints import Endpoint

MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3600

PER_MINUTE: Final[Mapping[Endpoint, int]] = MappingProxyType(
    {Endpoint.GET_ORDER: 90, Endpoint.SUBMIT_ORDER: 300, Endpoint.DELETE_ORDER: 300}
)
"""Calls a minute; past it 429. No other endpoint's rate is stated. (P: rate limit)"""

ERRORS_AN_HOUR: Final = 500
"""So many 4xx answers within an hour block the integrator. (P: blacklist)"""

BLOCK_SECONDS: Final = 3600
"""How long a block lasts, in which every call answers 423. (P: blacklist)"""

CALLS_WHILE_BLOCKED: Final = 1000
"""So many more calls during a block make it one for good, which Koncili's support alone lifts. (P: blacklist)"""
