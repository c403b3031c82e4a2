"""What is sent in place of an access token is found, and a client of which no call was ever taken is not certified."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.audit.auditor import Auditor
from conformance.audit.outcome import certify_recording
from conformance.audit.secrets import Secrets
from conformance.verdict.certificate import Certificate
from tests.suite.support.bodies import order
from tests.suite.support.recorded_calls import BEGAN, HEADERS, QUERY, TOKEN, Recording, verdict

DEAD: dict[str, Any] = {"status": 403, "answer": {"response": "NO_TOKEN"}}
REFRESH = f"refresh-of-{TOKEN}"


def carrying(token: str) -> dict[str, str]:
    """Headers with that in place of the token."""
    return {**HEADERS, "gumgatoken": token}


@pytest.mark.parametrize(
    "token", [f"Bearer {TOKEN}", f'"{TOKEN}"', f"{TOKEN}\\n", f"token={TOKEN}", REFRESH, TOKEN[:30]]
)
def test_what_is_no_access_token_alone_is_found(token: str) -> None:
    recording = Recording()
    recording.log_in()
    recording.submit(order(), headers=carrying(token), **DEAD)
    recording.look_up(headers=carrying(token), **DEAD)
    assert recording.broken() == {"AUTH-03": [1, 2]}


def test_a_scheme_before_a_token_is_found_where_its_login_was_not_recorded() -> None:
    recording = Recording()
    recording.submit(order(), headers=carrying("Bearer eyJhbGciOiJIUzI1NiJ9.e30.abcdefgh"), **DEAD)
    assert recording.broken() == {"AUTH-03": [0]}


@pytest.mark.parametrize("token", [f"Bearer {TOKEN}", TOKEN[:30]])
def test_what_was_taken_is_right_or_was_altered_by_the_recorder(token: str) -> None:
    """A recorder that cuts tokens does so where they live and where they have died."""
    recording = Recording()
    recording.log_in()
    recording.look_up(headers=carrying(token), **DEAD, after=7300)
    recording.submit(order(), headers=carrying(token))
    recording.look_up(headers=carrying(token), **DEAD, after=7300)
    assert recording.broken() == ({} if token != f"Bearer {TOKEN}" else {"AUTH-03": [1]})


def test_another_token_that_has_died_is_none_of_these() -> None:
    recording = Recording()
    recording.look_up(headers=carrying("a-token-of-yesterday-evening-0001"), **DEAD)
    recording.log_in()
    recording.submit(order())
    assert recording.broken() == {}


@pytest.mark.parametrize("used", [TOKEN, "refresh-of-another"])
def test_an_access_token_that_is_sent_to_be_renewed_is_found(used: str) -> None:
    recording = Recording()
    recording.log_in()
    recording.refresh(used, status=400)
    assert recording.broken() == ({"AUTH-07": [1]} if used == TOKEN else {})


def test_a_recorder_that_has_one_text_for_both_tokens_makes_none_of_the_other() -> None:
    recording = Recording()
    recording.log_in(answer={"accessToken": "not-shown-here", "refreshToken": "not-shown-here"})
    recording.refresh("not-shown-here", status=400)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "AUTH-07") == "undecided"


def certified(recording: Recording) -> Certificate:
    """The certificate of a recording."""
    auditor: Auditor = recording.audited()
    return certify_recording(auditor, Secrets(), files=[], problems=[], started_at=BEGAN)


def test_a_client_of_which_every_call_was_refused_for_its_token_is_not_certified() -> None:
    """It never renews it, or sends it wrongly: what it would do if one was taken nobody knows."""
    recording = Recording()
    recording.log_in()
    recording.submit(order(), headers=carrying("a-token-from-its-own-settings-01"), **DEAD)
    certificate = certified(recording)
    assert certificate.verdict.value == "partial"
    assert next(rule.reason for rule in certificate.rules if rule.id == "AUTH-03").startswith("the server has refused")
    recording.submit(order())
    assert certified(recording).verdict.value == "conformant"


@pytest.mark.parametrize("token", ["undefined", "null", "None", "[object Object]", "${token}", "{{accessToken}}"])
def test_what_is_no_token_at_all_is_found(token: str) -> None:
    recording = Recording()
    recording.log_in()
    recording.submit(order(), headers=carrying(token), **DEAD)
    recording.submit(order())
    assert recording.broken() == {"AUTH-03": [1]}


def test_a_recorder_may_put_a_name_in_place_of_each_token() -> None:
    recording = Recording()
    recording.log_in()
    recording.submit(order(), headers=carrying("{{accessToken}}"))
    recording.submit(order(), headers=carrying("{{accessToken}}"), **DEAD)
    assert recording.broken() == {}


@pytest.mark.parametrize("instead", ["{{integrator}}", "${INTEGRATOR}", "<integrator>", "%INTEGRATOR%"])
@pytest.mark.parametrize("others", [0, 1])
def test_a_name_in_place_of_the_integrator_is_the_clients_where_others_have_it(instead: str, others: int) -> None:
    recording = Recording()
    recording.submit(order(), headers={**HEADERS, "integrator": instead}, status=403, answer=None)
    for _ in range(others):
        recording.submit(order())
    assert recording.broken() == ({"CLI-14": [0]} if others else {})
    assert others or verdict(recording.audited(), "CLI-14") == "undecided"


@pytest.mark.parametrize(("token", "name"), [(TOKEN, "gumgaToken"), (REFRESH, "refreshToken")])
def test_a_token_that_was_given_is_known_in_a_url_whatever_it_is_called_there(token: str, name: str) -> None:
    recording = Recording()
    recording.log_in()
    recording.look_up(f"{QUERY}&t={token}", answer=order(), headers=carrying("a-token-of-yesterday-evening-0001"))
    assert recording.broken() == {"CLI-15": [1]}
    assert recording.audited().findings.found[0].pointer == f"query {name}"
