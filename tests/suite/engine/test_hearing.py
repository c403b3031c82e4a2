"""How long a notification is listened for."""

from __future__ import annotations

import pytest

from conformance.engine.hearing import SHORT_SECONDS, TWICE_AS_LONG, Hearing

PATIENCE = 150.0


def test_as_long_as_one_is_waited_for_while_all_come() -> None:
    hearing = Hearing()
    hearing.came(3.0)
    assert hearing.worth(PATIENCE) == PATIENCE


@pytest.mark.parametrize(
    ("came", "seconds"),
    [((), SHORT_SECONDS), ((0.01,), SHORT_SECONDS), ((20.0, 5.0), 20.0 * TWICE_AS_LONG), ((100.0,), PATIENCE)],
)
def test_no_longer_than_others_took_once_one_did_not_come(came: tuple[float, ...], seconds: float) -> None:
    hearing = Hearing(missed=True)
    for one in came:
        hearing.came(one)
    assert hearing.worth(PATIENCE) == seconds
