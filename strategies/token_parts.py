"""The edits that faults of credentials, tokens and the integrator's header are made of."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.credentials import decode_credentials, encode_credentials
from conformance.contract.endpoints import CREDENTIALS_FIELD, INTEGRATOR_HEADER, TOKEN_HEADER
from strategies.calls import LEFT_OUT, Call, Edit, Path, Rendered
from strategies.fault_parts import Draw, drawing, named, setting
from strategies.placeholders import CREDENTIALS, EMAIL, REFRESH_TOKEN, TOKEN, Placeholder
from strategies.scope import Scope

_CREDENTIALS: Final[Path] = ("body", CREDENTIALS_FIELD)

_WRONG_WORDS: Final = st.text(st.characters(codec="utf-8", exclude_characters=":"), min_size=1, max_size=20)


def _wrong_password(draw: DrawFn, _call: Call, _scope: Scope) -> Edit:
    password = "no-" + draw(_WRONG_WORDS)
    return Edit(
        _CREDENTIALS, Placeholder("email", lambda email: encode_credentials(email, password), "with a wrong password")
    )


def _other_case(password: str) -> str:
    swapped = password.swapcase()
    return swapped if swapped != password else password + "x"


def _with_password(change: Callable[[str], str], how: str) -> Draw:
    def changed(credentials: str) -> str:
        pair = decode_credentials(credentials)
        assert pair is not None, "a target's own credentials are well-formed"
        return encode_credentials(pair[0], change(pair[1]))

    return setting(_CREDENTIALS, Placeholder(CREDENTIALS.name, changed, f"with {how}"))


def _with_other_email(credentials: str) -> str:
    pair = decode_credentials(credentials)
    assert pair is not None, "a target's own credentials are well-formed"
    return encode_credentials("nobody@koncili.example", pair[1])


WRONG_PASSWORD: Final[dict[str, Draw]] = {
    "another password": _wrong_password,
    "an unknown email": setting(
        _CREDENTIALS, Placeholder(CREDENTIALS.name, _with_other_email, "with an unknown email")
    ),
    "the password in another case": _with_password(_other_case, "the password in another case"),
    "the password and one character": _with_password(lambda password: password + "x", "one character more"),
    "the password, a colon and more": _with_password(lambda password: password + ":x", "a colon and more"),
    "the password and a blank": _with_password(lambda password: password + " ", "a blank more"),
    "the password cut short": _with_password(lambda password: password[:-1], "one character less"),
    "an empty password": _with_password(lambda _: "", "an empty password"),
}

MALFORMED_CREDENTIALS: Final = named(
    _CREDENTIALS,
    {
        "not base64": "not base64!",
        "no colon": base64.b64encode(b"no colon here").decode(),
        "not encoded": Placeholder(
            CREDENTIALS.name, lambda credentials: base64.b64decode(credentials).decode(), "not encoded"
        ),
        "the email alone": Placeholder(
            EMAIL.name, lambda email: base64.b64encode(email.encode()).decode(), "in base64"
        ),
        "a number": 7,
        "an object": {},
    },
)

MISSING_CREDENTIALS: Final = {
    **named(_CREDENTIALS, {"left out": LEFT_OUT, "null": None, "empty": ""}),
    "no body": setting(("body",), Rendered("empty", lambda _: b"")),
    "not JSON": setting(("body",), Rendered("credentials", lambda _: b"credentials")),
}

_TOKEN: Final[Path] = ("headers", TOKEN_HEADER)

NO_TOKEN: Final = named(_TOKEN, {"left out": None})


def _other_character(token: str) -> str:
    # In the middle: the last character of a base64 text may hold bits that mean nothing.
    middle = len(token) // 2
    if token[middle] == ".":
        middle += 1
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


def _unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return ".".join([header, *token.split(".")[1:2], ""])


_ASCII: Final = st.characters(min_codepoint=0x21, max_codepoint=0x7E)

BAD_TOKEN: Final[dict[str, Draw]] = {
    "an unknown token": drawing(_TOKEN, st.text(_ASCII, min_size=1, max_size=12)),
    "cut short": setting(_TOKEN, Placeholder(TOKEN.name, lambda token: token[:-8], "cut short")),
    "one character other": setting(_TOKEN, Placeholder(TOKEN.name, _other_character, "one character other")),
    "unsigned": setting(_TOKEN, Placeholder(TOKEN.name, _unsigned, "alg none")),
    "a refresh token": setting(_TOKEN, REFRESH_TOKEN),
    "something after it": setting(_TOKEN, Placeholder(TOKEN.name, lambda token: token + "x", "one character more")),
    "in another case": setting(_TOKEN, Placeholder(TOKEN.name, str.swapcase, "in another case")),
    "empty": setting(_TOKEN, ""),
}

_INTEGRATOR: Final[Path] = ("headers", INTEGRATOR_HEADER)

BAD_INTEGRATOR: Final[dict[str, Draw]] = {
    **named(_INTEGRATOR, {"left out": None, "cut short": "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a1"}),
    "no UUID": drawing(_INTEGRATOR, st.text(_ASCII, min_size=1, max_size=12)),
}
