"""Tokens live too long or too short, are taken again, or are not looked at closely."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from zlib import crc32

from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD, TOKEN_HEADER, Endpoint
from conformance.contract.judge import Request, TokenState
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.mock.defects.parts import Seen, on, rules, with_fields, without
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import EMAIL, PASSWORD, MockWorld

_LIFE: Final = TOKEN_LIFETIME_SECONDS["two-hours"]


def _same_refresh_token(request: Request, answer: Answer) -> Answer:
    if request.endpoint is Endpoint.REFRESH_TOKEN and answer.status == 200:
        return with_fields(**{REFRESH_TOKEN_FIELD: request.fields[REFRESH_TOKEN_FIELD]})(answer)
    return answer


def _token_seen(state: Callable[[MockWorld, str], TokenState]) -> Callable[[MockWorld], Seen]:
    return lambda world: Seen(world, access_token_state=lambda token: state(world, token))


def _by_payload(world: MockWorld, token: str) -> TokenState:
    """The signature is not verified."""
    payloads = {known.split(".")[1]: known for known in world.access_tokens}
    parts = token.split(".")
    known = payloads.get(parts[1]) if len(parts) > 1 else None
    return world.access_token_state(known) if known else TokenState.UNKNOWN


def _by_payload_where_unsigned(world: MockWorld, token: str) -> TokenState:
    return _by_payload(world, token) if token.endswith(".") else world.access_token_state(token)


def _by_beginning(world: MockWorld, token: str) -> TokenState:
    """Only the beginning of a token is compared."""
    long_enough = 60
    known = next((one for one in world.access_tokens if one[:long_enough] == token[:long_enough]), None)
    return world.access_token_state(known) if known and len(token) >= long_enough else TokenState.UNKNOWN


def _one_in_three_dead(world: MockWorld, token: str) -> TokenState:
    return TokenState.UNKNOWN if crc32(token.encode()) % 3 == 0 else world.access_token_state(token)


def _refresh_token_too(world: MockWorld, token: str) -> TokenState:
    return TokenState.VALID if token in world.refresh_tokens else world.access_token_state(token)


def _sliding(world: MockWorld, token: str) -> TokenState:
    """Every use of a token gives it another life."""
    state = world.access_token_state(token)
    if state is TokenState.VALID:
        world.access_tokens[token] = world.clock.now() + timedelta(seconds=world.token_seconds)
    return state


def _void_as_the_last(world: MockWorld, token: str) -> TokenState:
    voided = [one for one, state in world.refresh_tokens.items() if state is TokenState.EXPIRED]
    return TokenState.VALID if token in voided[:-1] else world.refresh_token_state(token)


def _renewed_ones_again(world: MockWorld, token: str) -> TokenState:
    return TokenState.VALID if token in world.renewed_tokens else world.refresh_token_state(token)


def _access_token_too(world: MockWorld, token: str) -> TokenState:
    return TokenState.VALID if token in world.access_tokens else world.refresh_token_state(token)


def _credentials(knows: Callable[[str, str], bool]) -> Callable[[MockWorld], Seen]:
    return lambda world: Seen(world, knows_credentials=knows)


def _not_encoded(text: object) -> bool:
    try:
        base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return True
    return False


TOKENS: Final = (
    Defect(
        name="auth-01-no-refresh-token",
        statement="Gives an access token and no refresh token.",
        rules=rules("AUTH-01", "AUTH-06", "AUTH-07", "ERR-05"),
        answers=on(Endpoint.CREATE_TOKEN, without(REFRESH_TOKEN_FIELD)),
    ),
    Defect(
        name="auth-01-empty-refresh-token",
        statement="Gives an empty refresh token.",
        rules=rules("AUTH-01", "AUTH-06", "AUTH-07", "ERR-05"),
        answers=on(Endpoint.CREATE_TOKEN, with_fields(**{REFRESH_TOKEN_FIELD: ""})),
    ),
    Defect(
        name="auth-01-one-in-three-dead",
        statement="Gives an access token that it does not take, one time in three.",
        rules=rules("AUTH-01", "AUTH-05", "AUTH-06"),
        sees=_token_seen(_one_in_three_dead),
    ),
    Defect(
        name="auth-02-password-without-case",
        statement="Compares passwords without their case.",
        rules=rules("AUTH-02"),
        sees=_credentials(lambda email, password: (email, password.lower()) == (EMAIL, PASSWORD.lower())),
    ),
    Defect(
        name="auth-02-password-trimmed",
        statement="Compares passwords without the blanks around them.",
        rules=rules("AUTH-02"),
        sees=_credentials(lambda email, password: (email, password.strip()) == (EMAIL, PASSWORD)),
    ),
    Defect(
        name="auth-02-password-cut",
        statement="Compares the first eight characters of passwords.",
        rules=rules("AUTH-02"),
        sees=_credentials(lambda email, password: (email, password[:8]) == (EMAIL, PASSWORD[:8])),
    ),
    Defect(
        name="auth-02-password-ends-at-a-colon",
        statement="Splits credentials at every colon and looks at the first two parts.",
        rules=rules("AUTH-02"),
        sees=_credentials(lambda email, password: (email, password.split(":")[0]) == (EMAIL, PASSWORD)),
    ),
    Defect(
        name="auth-02-any-password",
        statement="Gives anyone a token who knows an email.",
        rules=rules("AUTH-02"),
        sees=_credentials(lambda email, _: email == EMAIL),
    ),
    Defect(
        name="auth-02-empty-password",
        statement="Takes an empty password for any.",
        rules=rules("AUTH-02"),
        sees=_credentials(lambda email, password: (email, password or PASSWORD) == (EMAIL, PASSWORD)),
    ),
    Defect(
        name="auth-02-without-base64",
        statement="Overlooks that credentials are not base64.",
        rules=rules("AUTH-02"),
        overlooks=lambda breach, request: (
            breach.rule == "AUTH-02" and bool(request.fields) and _not_encoded(request.fields.get("credentials"))
        ),
    ),
    Defect(
        name="auth-04-signature-not-verified",
        statement="Looks at the payload of a token only.",
        rules=rules("AUTH-04"),
        sees=_token_seen(_by_payload),
    ),
    Defect(
        name="auth-04-beginning-only",
        statement="Looks at the beginning of a token only.",
        rules=rules("AUTH-04", "AUTH-05", "AUTH-06"),
        sees=_token_seen(_by_beginning),
    ),
    Defect(
        name="auth-04-unsigned-taken",
        statement="Takes a token without a signature by its payload, and compares those that are there.",
        rules=rules("AUTH-04"),
        sees=_token_seen(_by_payload_where_unsigned),
    ),
    Defect(
        name="auth-04-empty-taken",
        statement="Takes an empty token for any.",
        rules=rules("AUTH-04"),
        overlooks=lambda breach, request: breach.rule in {"AUTH-03", "AUTH-04"} and request.header(TOKEN_HEADER) == "",
    ),
    Defect(
        name="auth-04-refresh-token-taken",
        statement="Takes a refresh token for an access token.",
        rules=rules("AUTH-04", "AUTH-06"),
        sees=_token_seen(_refresh_token_too),
    ),
    Defect(
        name="auth-05-dies-a-minute-early",
        statement="Lets an access token die a minute before its documented life is over.",
        rules=rules("AUTH-05"),
        token_seconds=_LIFE - 60,
    ),
    Defect(
        name="auth-05-dies-a-minute-late",
        statement="Lets an access token live a minute longer than documented.",
        rules=rules("AUTH-05"),
        token_seconds=_LIFE + 60,
    ),
    Defect(
        name="auth-05-a-day",
        statement="Lets an access token live a day.",
        rules=rules("AUTH-05"),
        token_seconds=86_400,
    ),
    Defect(
        name="auth-05-ten-minutes",
        statement="Lets an access token live ten minutes.",
        rules=rules("AUTH-05"),
        token_seconds=600,
    ),
    Defect(
        name="auth-05-sliding",
        statement="Gives a token another life whenever it is used.",
        rules=rules("AUTH-05"),
        sees=_token_seen(_sliding),
    ),
    Defect(
        name="auth-06-same-refresh-token",
        statement="Answers a refresh with the refresh token that was just used.",
        rules=rules("AUTH-06", "AUTH-07"),
        answers=_same_refresh_token,
    ),
    Defect(
        name="auth-06-no-new-refresh-token",
        statement="Answers a refresh without a refresh token.",
        rules=rules("AUTH-06", "AUTH-07", "ERR-05"),
        answers=on(Endpoint.REFRESH_TOKEN, without(REFRESH_TOKEN_FIELD)),
    ),
    Defect(
        name="auth-06-dead-token",
        statement="Answers a refresh with an access token that is not taken.",
        rules=rules("AUTH-05", "AUTH-06", "AUTH-07"),
        answers=on(Endpoint.REFRESH_TOKEN, with_fields(**{ACCESS_TOKEN_FIELD: "a.b.c"})),
    ),
    Defect(
        name="auth-07-refresh-token-reusable",
        statement="Takes a refresh token any number of times.",
        rules=rules("AUTH-07"),
        reuses_refresh_tokens=True,
    ),
    Defect(
        name="auth-07-only-the-last-void",
        statement="Knows only the last refresh token that was used to be void.",
        rules=rules("AUTH-07"),
        sees=lambda world: Seen(world, refresh_token_state=lambda token: _void_as_the_last(world, token)),
    ),
    Defect(
        name="auth-07-renewed-ones-reusable",
        statement="Takes a refresh token that a refresh gave any number of times.",
        rules=rules("AUTH-07"),
        sees=lambda world: Seen(world, refresh_token_state=lambda token: _renewed_ones_again(world, token)),
    ),
    Defect(
        name="auth-07-access-token-taken",
        statement="Takes an access token for a refresh token.",
        rules=rules("AUTH-07"),
        sees=lambda world: Seen(world, refresh_token_state=lambda token: _access_token_too(world, token)),
    ),
    Defect(
        name="auth-07-anything-taken",
        statement="Refreshes whatever it is given.",
        rules=rules("AUTH-07"),
        sees=lambda world: Seen(world, refresh_token_state=lambda _: TokenState.VALID),
    ),
)
