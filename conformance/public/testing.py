"""The mock in an integrator's own tests, beside the fixture `koncili_mock` that the pytest plugin brings."""

from __future__ import annotations

from conformance.testing.mock import (
    Account,
    Clock,
    Credentials,
    KonciliMock,
    StoredOrder,
    Violation,
    koncili_mock,
)

__all__ = ["Account", "Clock", "Credentials", "KonciliMock", "StoredOrder", "Violation", "koncili_mock"]
