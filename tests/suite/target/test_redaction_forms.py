"""A secret is blotted out in every form in which servers and Python tell it, and so are long pieces of a token."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import pytest

from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.target.wire.public_words import own_words
from conformance.target.wire.redaction import Redactor
from tests.suite.support import marked_secrets as marks


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
        (OPAQUE[::-1], "<redacted:accessToken>"),
        (OPAQUE[:15].upper(), OPAQUE[:15].upper()),
    ],
    ids=[
        "whole",
        "its beginning",
        "its end",
        "one character other",
        "its middle",
        "a little",
        "reversed",
        "a little, in capitals",
    ],
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


# -- in disguise ---------------------------------------------------------------------------------------------------


def hexadecimal(secret: str) -> str:
    return secret.encode().hex()


def inside_base64(before: str, secret: str, after: str = '", "more": "of it"}') -> str:
    return base64.b64encode(f"{before}{secret}{after}".encode()).decode()


def in_groups(text: str, size: int, between: str) -> str:
    return between.join(text[at : at + size] for at in range(0, len(text), size))


DISGUISES: Final[dict[str, Callable[[str], str]]] = {
    "hexadecimal": hexadecimal,
    "in capitals": lambda secret: hexadecimal(secret).upper(),
    "hexadecimal with colons": lambda secret: in_groups(hexadecimal(secret), 2, ":"),
    "hexadecimal with blanks": lambda secret: in_groups(hexadecimal(secret), 2, " "),
    "hexadecimal numbers": lambda secret: ", ".join(f"0x{byte:02x}" for byte in secret.encode()),
    "every character quoted": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "every character quoted twice": lambda secret: "".join(f"%25{byte:02x}" for byte in secret.encode()),
    "every character an entity": lambda secret: "".join(f"&#{ord(sign)};" for sign in secret),
    "every character an entity in hexadecimal": lambda secret: "".join(f"&#x{ord(sign):X};" for sign in secret),
    "every character escaped as in JSON": lambda secret: "".join(f"\\u{ord(sign):04x}" for sign in secret),
    "every character escaped as in Python": lambda secret: "".join(f"\\x{byte:02x}" for byte in secret.encode()),
    "reversed": lambda secret: secret[::-1],
    "upper case": str.upper,
    "lower case": str.lower,
    "swapped case": str.swapcase,
    "reversed, upper case": lambda secret: secret[::-1].upper(),
    "blanks between": " ".join,
    "dashes between": "-".join,
    "line breaks between": "\n".join,
    "line breaks between, in JSON": lambda secret: json.dumps("\r\n".join(secret))[1:-1],
    "no-break spaces between": "\N{NO-BREAK SPACE}".join,
    "nothing that is seen between": "\N{ZERO WIDTH SPACE}".join,
    "groups of four": lambda secret: in_groups(secret, 4, " "),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64, not padded": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "inside base64": lambda secret: inside_base64('{"of": "', secret),
    "inside base64, a byte later": lambda secret: inside_base64('{"of2": "', secret),
    "inside base64, two bytes later": lambda secret: inside_base64('{"of22": "', secret),
    "inside URL-safe base64": lambda secret: inside_base64("?>~", secret, "~~~").replace("+", "-").replace("/", "_"),
    "inside base64 over several lines": lambda secret: in_groups(inside_base64("x" * 60, secret, "y" * 60), 19, "\n"),
    "inside base64, escaped": lambda secret: quote(inside_base64("?>~", secret), safe=""),
}
"""How a secret may be told that nobody escaped by need."""

HIDDEN: Final = {
    "password": "Tr0ub4dor-7x",
    "email": "ana.silva@marked-shop.example",
    "accessToken": "k3J9x_Q-" + "aZ4bY7cX1dW6eV0f" * 12,
}


def knowing_all() -> Redactor:
    redactor = Redactor()
    redactor.leave("order 19055 CHANNEL_NAME INVOICED marketplaceCode http://127.0.0.1:8765")
    for name, secret in HIDDEN.items():
        (redactor.learn_token if name == "accessToken" else redactor.learn)(secret, name)
    return redactor


@pytest.mark.parametrize("how", DISGUISES)
@pytest.mark.parametrize("name", HIDDEN)
def test_a_secret_is_found_in_disguise(name: str, how: str) -> None:
    told = DISGUISES[how](HIDDEN[name])
    shown = knowing_all().text(f'{{"errorMessage": "no {told} here", "errorCode": "400-0"}}')
    assert f"<redacted:{name}>" in shown
    assert shown.startswith('{"errorMessage": "no ')
    assert shown.endswith(' here", "errorCode": "400-0"}')
    if "base64" not in how:  # of which the first and the last character may hold something else
        left = shown.replace(f"0x<redacted:{name}>", "").replace(f"<redacted:{name}>", "")
        assert len(left) == len('{"errorMessage": "no  here", "errorCode": "400-0"}')


@pytest.mark.parametrize("how", ["upper case", "reversed", "hexadecimal", "every character quoted", "dashes between"])
def test_a_long_piece_of_a_token_is_found_in_disguise(how: str) -> None:
    token = HIDDEN["accessToken"]
    shown = knowing_all().text(f"<{DISGUISES[how](token[20:80])}>")
    assert shown == "<<redacted:accessToken>>"


INNOCENT: Final = [
    '{"tr0ub": "4dor", "7": "x"}',
    '["Tr0ub4dor", "7x"]',
    '{"marketplaceCode": "A-1", "accountId": 19055, "status": "INVOICED", "value": 203.63}',
    "curl -i -X POST -H 'content-type: application/json' 'http://127.0.0.1:8765/order?marketplaceCode=%23A%2F1'",
    "marked-shop.example",
    "",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_stays_as_it_is(text: str) -> None:
    assert knowing_all().text(text) == text


def test_what_is_found_is_found_in_time_that_grows_with_the_text_alone() -> None:
    """A bound that only a search in steps that grow with the square would break."""
    redactor = knowing_all()
    began = time.process_time()
    for text in ("a1" * 500_000, "%41" * 300_000, "Tr0ub4 " * 150_000, "k3J9x_Q-" * 120_000, "\\" * 1_000_000):
        redactor.text(text)
    assert time.process_time() - began < 60


# -- common words --------------------------------------------------------------------------------------------------

COMMON: Final = [
    "order",
    "19055",
    "true",
    "CHANNEL_NAME",
    "invoiced",
    "marketplaceCode",
    "127.0.0.1",
    "password",
    "abc",
    "pass",
]


@pytest.mark.parametrize("word", COMMON)
def test_a_secret_that_is_a_common_word_spoils_nothing(word: str) -> None:
    target = parse_target(mock_target_table("http://127.0.0.1:8765"), "target.toml")
    redactor = Redactor()
    redactor.leave(own_words(target))
    redactor.learn(word, "password")
    for text in INNOCENT:
        assert redactor.text(text) == text
    assert redactor.text("✗ ORD-04 fail (required): an order without sendDate passes") == (
        "✗ ORD-04 fail (required): an order without sendDate passes"
    )
    assert redactor.too_common == ["password"]
    for told in (
        '"password": "{}"',
        "password={}",
        "senha: {}",
        "ana@shop.example:{}",
        'my \\"credentials\\": \\"{}\\"',
    ):
        assert redactor.text(told.format(word)) == told.format("<redacted:password>")


def test_several_common_words_are_blotted_out_each_by_its_name() -> None:
    redactor = Redactor()
    for word, name in (("0", "refreshToken"), ("00", "accessToken"), ("Abc", "password"), ("\u017f.", "pin")):
        redactor.learn(word, name)
    told = 'gumgaToken: 0, "TO\u212aEN": "00", Pa\u017fsword=aBC, PWD s., credential 0; bearer 000, token 0x, 00:00 abc'
    assert redactor.text(told) == (
        'gumgaToken: <redacted:refreshToken>, "TO\u212aEN": "<redacted:accessToken>", Pa\u017fsword=<redacted:password>, '
        "PWD <redacted:pin>, credential <redacted:refreshToken>; bearer 000, token 0x, 00:00 abc"
    )


@pytest.mark.parametrize("secrets", [("a", "a-b"), ("a-b", "a")])
def test_of_a_common_word_that_begins_with_another_nothing_is_left(secrets: tuple[str, ...]) -> None:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret, "password")
        assert redactor.text(f"password: {secret}") == "password: <redacted:password>"
    assert redactor.text("password: a-b") == "password: <redacted:password>"


def test_a_secret_that_is_no_common_word_is_told_to_be_none() -> None:
    assert knowing_all().too_common == []
