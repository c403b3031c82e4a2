"""A secret is blotted out in every form in which servers and Python tell it, and so are long pieces of a token."""

from __future__ import annotations

import pytest

from conformance.target.redaction import Redactor
from tests.suite import marks


def knowing(*secrets: tuple[str, str]) -> Redactor:
    redactor = Redactor()
    for secret, name in secrets:
        redactor.learn(secret, name)
    return redactor


@pytest.mark.parametrize("form", marks.FORMS)
@pytest.mark.parametrize("secret", [marks.EMAIL, marks.PASSWORD])
def test_a_secret_is_blotted_out_as_servers_and_python_tell_it(secret: str, form: str) -> None:
    told = marks.FORMS[form](secret)
    quotes = "'" if form == "Python" else ""
    assert knowing((secret, "password")).text(f"«{told}»") == f"«{quotes}<redacted:password>{quotes}»"


def test_a_secret_is_blotted_out_of_bytes_in_latin_1() -> None:
    redactor = knowing(("pässword-ö", "password"))
    assert redactor.bytes_as_text("<pässword-ö>".encode("latin-1")) == "<<redacted:password>>"
    assert redactor.raw("<pässword-ö>".encode("latin-1")) == b"<<redacted:password>>"


@pytest.mark.parametrize("form", marks.BASE64_FORMS)
def test_base64_is_blotted_out_in_either_alphabet(form: str) -> None:
    redactor = Redactor()
    redactor.learn_base64(marks.CREDENTIALS, "credentials")
    assert redactor.text(f"«{marks.BASE64_FORMS[form](marks.CREDENTIALS)}»") == "«<redacted:credentials>»"


OPAQUE = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (OPAQUE, "<redacted:accessToken>"),
        (f"{OPAQUE[:20]}...", "<redacted:accessToken>..."),
        (f"...{OPAQUE[-16:]}", "...<redacted:accessToken>"),
        (f"{OPAQUE[:18]}X{OPAQUE[19:]}", "<redacted:accessToken>X<redacted:accessToken>"),
        (f"a-{OPAQUE[3:21]}-b", "a-<redacted:accessToken>-b"),
        (OPAQUE[:15], OPAQUE[:15]),
        (OPAQUE[::-1], OPAQUE[::-1]),
    ],
    ids=["whole", "its beginning", "its end", "one character other", "its middle", "a little", "another"],
)
def test_no_long_piece_of_a_token_is_shown(text: str, redacted: str) -> None:
    redactor = Redactor()
    redactor.learn_token(OPAQUE, "accessToken")
    assert redactor.text(text) == redacted


def test_no_piece_of_an_email_is_blotted_out() -> None:
    assert (
        knowing(("ana@sandbox.koncili.example", "email")).text("sandbox.koncili.example") == "sandbox.koncili.example"
    )


def test_what_one_process_knows_another_learns() -> None:
    one, other = knowing(("pass word", "password")), Redactor()
    one.learn_token(OPAQUE, "accessToken")
    other.learn_all(one.known)
    assert other.text(f"pass+word {OPAQUE[:-3]}") == "<redacted:password> <redacted:accessToken>"
