"""What a recording holds as it came to a gateway and as it was sent on was called once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from conformance.traffic.exchange import NOT_RECORDED, Exchange, Missing
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, HOST, TOOK, UNTIMED, Recording, sent, verdict

GATEWAY = "https://gateway.example/koncili"


def by_a_gateway(recording: Recording) -> Recording:
    """Each call as the client made it, and as its gateway sent it on."""
    both: list[Exchange] = []
    for one in recording.exchanges:
        request = replace(one.request, url=one.request.url.replace(HOST, GATEWAY))
        assert not isinstance(one.started, Missing)
        assert not isinstance(one.took, Missing)
        later, less = one.started + timedelta(milliseconds=8), one.took - timedelta(milliseconds=20)
        both += [replace(one, request=request)] + [replace(one, started=later, took=less)] * (
            request.url != one.request.url
        )
    return Recording(both)


def a_day() -> Recording:
    recording = Recording()
    recording.log_in()
    recording.submit(order())
    recording.submit(order("ANOTHER-1"))
    recording.delete("marketplaceCode=ANOTHER-1&channelName=CHANNEL_NAME&accountId=19055")
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    recording.notify(DONE)
    return recording


@pytest.mark.parametrize("altered", [lambda one: one, lambda one: one.without(took=NOT_RECORDED)])
def test_a_lawful_day_is_lawful_by_a_gateway(altered: Callable[[Recording], Recording]) -> None:
    recording = altered(by_a_gateway(a_day()))
    auditor = recording.audited()
    assert recording.broken() == {}
    assert auditor.counts.calls == 7
    assert auditor.counts.repeated == 7
    assert auditor.books.ties_out
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-05", "CLI-18"):
        assert verdict(auditor, rule) == "kept", rule


def test_rates_are_those_of_the_client() -> None:
    recording = Recording()
    for _ in range(80):
        recording.look_up(answer=order(), after=0.6)
    assert by_a_gateway(recording).broken() == {}


def test_what_the_client_does_wrong_is_found_by_a_gateway_too() -> None:
    recording = sent()
    recording.release(release())
    recording.release(release(), status=400, answer=ERROR_400)
    assert set(by_a_gateway(recording).broken()) == {"CLI-02"}


def test_the_same_at_once_by_two_workers_is_none() -> None:
    recording = Recording()
    recording.submit(order(), took=TOOK, after=1)
    recording.submit(order(), took=TOOK, after=0.05)
    assert recording.broken() == {"CLI-17": [0, 1]}
    assert set(by_a_gateway(recording).broken()) == {"CLI-17"}


def test_the_gateway_is_left_out_where_the_base_url_says_so() -> None:
    recording = by_a_gateway(a_day())
    auditor = recording.audited(base_url=HOST)
    assert auditor.counts.calls == 7
    assert not auditor.findings.found


def test_without_times_nothing_is_taken_for_sent_on() -> None:
    assert by_a_gateway(a_day()).without(**UNTIMED).audited().counts.repeated == 0
