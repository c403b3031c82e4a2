"""The fixture `koncili_mock` and its marker. What it needs is imported when a test asks for it: every pytest run loads this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.testing.mock import KonciliMock


@pytest.fixture
def koncili_mock(request: pytest.FixtureRequest) -> Iterator[KonciliMock]:
    """A mock Koncili on a port of its own, new for each test: `koncili_conformance.testing.KonciliMock`.

    `@pytest.mark.koncili_mock(variants=[...], defects=[...], limits=True, faults=[...], lose_answers=True)` says how it is; a
    marker of the test counts before one of its class or module.
    """
    from conformance.testing.mock import koncili_mock as serve

    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("koncili_mock"))):  # the closest last
        if marker.args:
            pytest.fail("koncili_mock takes its settings by name: variants=[...], faults=[...]", pytrace=False)
        settings |= marker.kwargs
    with ExitStack() as stack:
        try:
            mock = stack.enter_context(serve(**settings))
        except (TypeError, ValueError) as error:
            pytest.fail(f"koncili_mock: {error}", pytrace=False)
        yield mock
