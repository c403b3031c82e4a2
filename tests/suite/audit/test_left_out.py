"""Secrets that a recorder left out, blanked or replaced are no fault of the integration, and one that was never sent is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from conformance.mock.world import INTEGRATOR
from tests.suite.support.bodies import order
from tests.suite.support.recorded_calls import TOKEN, Recording, verdict

NO_TOKEN = {"response": "NO_TOKEN"}
ERROR_400 = {"errorMessage": "not this", "errorCode": "400-0", "errorSource": None}
SENT = {"host": "koncili.example", "content-type": "application/json"}
BLANKED = {**SENT, "gumgatoken": "", "integrator": ""}


def day(headers: Mapping[str, str], *, file: str = "day.har") -> Recording:
    """Calls that were taken, one whose token had come to its end, one that was refused for what it sent."""
    recording = Recording()
    recording.look_up(answer=order(), headers=headers, file=file)
    recording.look_up(status=403, answer=NO_TOKEN, headers=headers, file=file)
    recording.submit(order(), status=400, answer=ERROR_400, headers=headers, file=file)
    recording.submit(order(), headers=headers, file=file)
    return recording


@pytest.mark.parametrize(
    "headers",
    [
        SENT,
        BLANKED,
        {**SENT, "integrator": INTEGRATOR},
        {**BLANKED, "integrator": INTEGRATOR},
        {**SENT, "gumgatoken": "removed", "integrator": "-"},
        {**SENT, "gumgatoken": "XXX", "integrator": "xxx"},
        {**SENT, "gumgatoken": "sha256:9f86d081884c7d65", "integrator": "sha256:60303ae22b998861"},
        {**SENT, "gumgatoken": TOKEN, "integrator": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"},
    ],
)
def test_headers_that_the_recorder_left_out_are_not_missed(headers: Mapping[str, str]) -> None:
    assert day(headers).broken() == {}


@pytest.mark.parametrize("headers", [SENT, BLANKED])
def test_a_recording_that_shows_no_call_taken_is_like_those_beside_it(headers: Mapping[str, str]) -> None:
    recording = day(headers, file="monday.har")
    recording.look_up(status=403, answer=NO_TOKEN, headers=headers, file="tuesday.har")
    assert recording.broken() == {}


@pytest.mark.parametrize("headers", [SENT, BLANKED, {"host": "koncili.example", "authorization": f"Bearer {TOKEN}"}])
def test_headers_that_were_never_sent_are_missed(headers: Mapping[str, str]) -> None:
    recording = Recording()
    recording.look_up(status=403, answer=NO_TOKEN, headers=headers)
    recording.look_up(status=403, answer=NO_TOKEN, headers=headers)
    assert recording.broken() == {"AUTH-03": [0, 1], "CLI-14": [0, 1]}


@pytest.mark.parametrize(
    "value", [None, "", "ACME", f"{{{INTEGRATOR}}}", f"<{INTEGRATOR}>", INTEGRATOR.replace("-", "")]
)
def test_an_integrator_is_missed_beside_a_token(value: str | None) -> None:
    headers = {**SENT, "gumgatoken": TOKEN} | ({} if value is None else {"integrator": value})
    recording = day({**SENT, "gumgatoken": TOKEN, "integrator": INTEGRATOR})
    recording.look_up(answer=order(), headers=headers)
    assert recording.broken() == {"CLI-14": [4]}


BLOTTED = {**SENT, "gumgatoken": "********"}


def test_an_integrator_may_be_left_out_where_tokens_are_blotted_out() -> None:
    recording = day(BLOTTED)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-14") == "undecided"


def test_an_integrator_is_missed_beside_a_token_that_is_blotted_out_where_others_have_it_or_none_is_taken() -> None:
    recording = day(BLOTTED)
    recording.look_up(answer=order(), headers={**BLOTTED, "integrator": INTEGRATOR})
    recording.look_up(answer=order(), headers=BLOTTED)
    assert recording.broken() == {"CLI-14": [0, 1, 2, 3, 5]}
    recording = Recording()
    recording.submit(order(), status=400, answer=ERROR_400, headers=BLOTTED)
    assert recording.broken() == {"CLI-14": [0]}


@pytest.mark.parametrize("status", [None, 503, 429, 302])
def test_headers_are_not_missed_where_no_answer_tells_that_they_were_not_sent(status: int | None) -> None:
    recording = Recording()
    recording.look_up(status=status, headers=SENT)
    recording.submit(order(), status=status, headers=SENT)
    assert recording.broken() == {}
    recording.look_up(answer=order(), after=60.0)
    assert recording.broken() == {"CLI-14": [0, 1]}


@pytest.mark.parametrize("code", ["400-0", "403-1", "404-3", "400-3"])
def test_a_call_that_was_refused_for_what_it_is_about_had_a_token(code: str) -> None:
    recording = Recording()
    answer = {**ERROR_400, "errorCode": code}
    recording.look_up(status=int(code[:3]), answer=answer, headers=SENT)
    assert "CLI-14" not in recording.broken()
    recording.look_up(status=403, answer=NO_TOKEN, headers=SENT)
    assert not {"AUTH-03", "CLI-14"} & recording.broken().keys()


@pytest.mark.parametrize("code", [None, "403", "404"])
def test_a_refusal_that_tells_nothing_of_the_request_shows_no_token(code: str | None) -> None:
    recording = Recording()
    recording.look_up(status=403, answer=None if code is None else {**ERROR_400, "errorCode": code}, headers=SENT)
    assert recording.broken() == {"CLI-14": [0]}


def test_a_token_is_missed_in_a_recording_that_shows_it_elsewhere_than_one_that_leaves_it_out() -> None:
    recording = day(SENT, file="proxy.har")
    recording.look_up(answer=order(), file="client.har")
    recording.look_up(status=403, answer=NO_TOKEN, headers={"integrator": INTEGRATOR}, file="client.har")
    assert recording.broken() == {"AUTH-03": [5]}


def test_of_very_many_calls_without_a_token_none_of_which_was_taken_all_are_told() -> None:
    recording = Recording()
    for _ in range(1_200):
        recording.look_up(status=403, answer=NO_TOKEN, headers={"integrator": INTEGRATOR})
    assert recording.audited().findings.tallies["AUTH-03"].broken == 1_200


@pytest.mark.parametrize("text", ["", "-", "removed", "gone"])
def test_a_text_that_stands_in_place_of_refresh_tokens_was_used_by_nobody(text: str) -> None:
    recording = Recording()
    told: dict[str, Any] = {"answer": {"accessToken": "gone", "refreshToken": text}}
    recording.refresh(text, **told)
    recording.refresh(text, status=403, answer=ERROR_400)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "AUTH-07") == "undecided"


def test_a_token_in_a_url_is_known_by_its_form() -> None:
    recording = Recording()
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
    recording.call("GET", f"/my-accounts?k={token}", headers=SENT, answer=[])
    (finding,) = recording.audited().findings.found
    assert (finding.rule.id, finding.pointer) == ("CLI-15", "query gumgaToken")


def test_a_call_without_a_token_to_what_is_not_documented_is_none_of_the_integration() -> None:
    recording = Recording()
    recording.look_up(answer=order())
    for headers in (SENT, BLANKED):
        recording.call("GET", "/v3/api-docs", headers=headers, status=404)
    assert recording.broken() == {}
