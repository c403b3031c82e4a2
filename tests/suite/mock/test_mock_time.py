"""The clock of the mock: when an update shows, and how a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest

from conformance.mock.app import CONTROL_PATH
from conformance.mock.clock import EPOCH, VirtualClock, ticking
from conformance.mock.koncili import Koncili
from conformance.mock.variants import variant
from tests.suite.support.mock_calls import Caller, refusal, shown

# -- consolidation ---------------------------------------------------------------------------------------------------

CONSOLIDATION: Final[dict[str, tuple[str, int, int]]] = {
    # the variant, seconds after noon at which a change is made, seconds until it shows
    "at noon, at the half hour": ("half-hour-consolidation", 0, 1800),
    "a second after, at the half hour": ("half-hour-consolidation", 1, 1799),
    "a second before the half hour": ("half-hour-consolidation", 1799, 1),
    "at the half hour, at the next": ("half-hour-consolidation", 1800, 1800),
    "any time, after 29 minutes": ("slow-consolidation", 77, 1740),
}


@pytest.mark.parametrize(("name", "since_noon", "seconds"), CONSOLIDATION.values(), ids=CONSOLIDATION)
def test_a_change_shows_at_its_consolidation(name: str, since_noon: int, seconds: int) -> None:
    caller = Caller(Koncili(quirks=[variant(name)]))
    clock = caller.koncili.clock
    clock.advance(since_noon)

    def changes(change: Callable[[], httpx.Response], see: Callable[[], object], before: object, after: object) -> None:
        assert change().status_code == 200
        assert see() == before
        clock.advance(seconds - 1)
        assert see() == before
        clock.advance(1)
        assert see() == after
        clock.advance(3600 - seconds)

    def seen() -> object:
        answer = caller.look_up()
        return answer.json()["status"] if answer.status_code == 200 else refusal(answer)

    unknown = (404, "404-3")
    canceled = {"status": "CANCELED", "cancelDate": "2025-05-10T12:00:00Z"}
    caller.koncili.world.token_seconds = 10**6
    caller.headers["gumgaToken"], _ = caller.koncili.world.issue_tokens()
    changes(caller.submit, seen, unknown, "INVOICED")
    changes(lambda: caller.submit(**canceled), seen, "INVOICED", "CANCELED")
    changes(lambda: caller.look_up("DELETE"), seen, "CANCELED", unknown)


def test_a_plain_mock_consolidates_at_once() -> None:
    caller = Caller()
    caller.submit()
    assert caller.look_up().status_code == 200


def test_a_deletion_need_not_wait_for_consolidation() -> None:
    caller = Caller(Koncili(quirks=[variant("half-hour-consolidation")]))
    caller.submit()
    assert caller.look_up("DELETE").status_code == 200
    assert refusal(caller.look_up("DELETE")) == (404, "404-3")
    caller.koncili.clock.advance(1800)
    assert refusal(caller.look_up()) == (404, "404-3")


def test_of_changes_between_two_consolidations_the_last_shows() -> None:
    caller = Caller(Koncili(quirks=[variant("half-hour-consolidation")]))
    for number in range(3):
        caller.submit(comment=number)
        caller.koncili.clock.advance(60)
    caller.koncili.clock.advance(1620)
    assert shown(caller.look_up())["comment"] == 2


# -- clock and control interface -------------------------------------------------------------------------------------


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock()
    assert clock.now() == EPOCH
    clock.advance(0)
    clock.advance(90.5)
    assert clock.now() == EPOCH + timedelta(seconds=90.5)


@pytest.mark.parametrize("seconds", [-1, -0.001, float("-inf"), float("nan")])
def test_a_clock_moves_forward_only(seconds: float) -> None:
    clock = VirtualClock()
    with pytest.raises(ValueError, match=r"forward|NaN"):
        clock.advance(seconds)
    assert clock.now() == EPOCH


def test_a_ticking_clock_follows_real_time() -> None:
    clock = ticking()
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    clock.advance(3600)
    assert clock.now() >= before + timedelta(hours=1)


def test_the_control_interface_tells_and_moves_the_clock() -> None:
    caller = Caller(headers={})
    assert caller.call("GET", CONTROL_PATH).json() == {"mock": "koncili-conformance", "now": EPOCH.isoformat()}
    moved = caller.call("POST", CONTROL_PATH, {"advanceSeconds": 1800})
    later = (EPOCH + timedelta(minutes=30)).isoformat()
    assert (moved.status_code, moved.json()["now"]) == (200, later)
    assert caller.call("GET", CONTROL_PATH).json()["now"] == later
    assert caller.koncili.clock.now().isoformat() == later


BAD_CONTROL: Final = {
    "nothing": b"",
    "not JSON": b"60",
    "an array": b"[60]",
    "another field": b'{"seconds": 60}',
    "null": b'{"advanceSeconds": null}',
    "a word": b'{"advanceSeconds": "soon"}',
    "an object": b'{"advanceSeconds": {}}',
    "back": b'{"advanceSeconds": -1}',
    "NaN": b'{"advanceSeconds": NaN}',
    "beyond a double": b'{"advanceSeconds": 1e400}',
    "beyond any span": b'{"advanceSeconds": 1e15}',
    "past the year 9999": b'{"advanceSeconds": 252000000000}',
    "invalid UTF-8": b"\xff",
}


@pytest.mark.parametrize("body", BAD_CONTROL.values(), ids=BAD_CONTROL)
def test_the_control_interface_refuses_what_moves_no_clock(body: bytes) -> None:
    caller = Caller()
    assert refusal(caller.call("POST", CONTROL_PATH, body)) == (400, "400-0")
    assert caller.call("GET", CONTROL_PATH).json()["now"] == EPOCH.isoformat()
