"""No secret leaves a run: not in text of any form, not in the HAR file, not in a curl line."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import dumps
from conformance.mock.world import EMAIL, PASSWORD
from conformance.run.session import Options, Session, open_session
from conformance.target.wire.exchange import Exchange, as_curl
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from tests.suite.support.properties import repeatable

CREDENTIALS = encode_credentials(EMAIL, PASSWORD)


def knowing(*secrets: tuple[str, str]) -> Redactor:
    redactor = Redactor()
    for secret, name in secrets:
        redactor.learn(secret, name)
    return redactor


# -- text ----------------------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "quote": lambda secret: quote(secret, safe=""),
    "quote in lower case": lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
    "quote_plus": quote_plus,
    "path": quote,
    "path as httpx writes it": lambda secret: quote(secret, safe="/@:!$&'()*+,;="),
    "query as httpx writes it": lambda secret: str(httpx.URL("//a", params={"q": secret})).removeprefix("//a?q="),
    "JSON": lambda secret: dumps(secret)[1:-1],
    "JSON in Unicode": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON with slashes escaped": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@repeatable(100)
@given(secret=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="«»"), min_size=6))
@example(secret="mock-password")
@example(secret='pä"ss/wo rd')
@example(secret="a+b/c==\\")
@example(secret="über/Straße 7")
def test_a_secret_is_blotted_out_in_every_form(form: Callable[[str], str], secret: str) -> None:
    redactor = knowing((secret, "password"))
    assert redactor.text(f"«{form(secret)}»") == "«<redacted:password>»"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("gumgaToken: eyJ.abc.def", "gumgaToken: <redacted:accessToken>"),
        ("Illegal header value b'eyJ.abc.def'", "Illegal header value b'<redacted:accessToken>'"),
        ("eyJ.abc.def eyJ.abc.def", "<redacted:accessToken> <redacted:accessToken>"),
        ("eyJ.abc", "eyJ.abc"),
        ("", ""),
    ],
    ids=["header", "error", "twice", "a part", "nothing"],
)
def test_a_secret_is_blotted_out_where_it_stands(text: str, redacted: str) -> None:
    assert knowing(("eyJ.abc.def", "accessToken")).text(text) == redacted


def test_the_longest_secret_goes_first() -> None:
    redactor = knowing(("ana@shop", "email"), ("ana@shop:secret", "credentials"), ("ana@", "part"))
    assert redactor.text("ana@shop:secret ana@shop ana@") == "<redacted:credentials> <redacted:email> <redacted:part>"


def test_a_secret_keeps_its_first_name() -> None:
    assert knowing(("secret-1", "password"), ("secret-1", "accessToken")).text("secret-1") == "<redacted:password>"


@pytest.mark.parametrize("short", ["", "a", "abc"])
def test_a_short_value_is_left_alone(short: str) -> None:
    assert knowing((short, "password")).text("abc is a text") == "abc is a text"


def test_bytes_that_are_no_text_are_escaped_and_the_secret_among_them_blotted_out() -> None:
    assert knowing(("secret-1", "password")).bytes_as_text(b"\xff secret-1") == "\\xff <redacted:password>"


# -- the HAR file --------------------------------------------------------------------------------------------------

ORDER = {
    "marketplaceCode": "A-1",
    "channelName": "CHANNEL_NAME",
    "accountId": 19055,
    "status": "INVOICED",
    "createdDate": "2026-05-09T12:00:00Z",
    "extracts": [{"marketplaceCode": "A-1", "type": "SALE", "value": 1}],
}
LOOKUP = {"marketplaceCode": "A-1", "channelName": "CHANNEL_NAME", "accountId": "19055"}


def other_character(secret: str) -> str:
    middle = len(secret) // 2
    return secret[:middle] + ("A" if secret[middle] != "A" else "B") + secret[middle + 1 :]


def unsigned(token: str) -> str:
    return token.rpartition(".")[0] + "."


DAMAGES: dict[str, Callable[[str], str]] = {
    "whole": lambda secret: secret,
    "cut short": lambda secret: secret[:-8],
    "one character other": other_character,
    "unsigned": unsigned,
}


def send_with_token(session: Session, token: str) -> None:
    """The token in its header, and in every place where it does not belong."""
    client, integrator = session.client, str(session.target.integrator)
    client.call(Endpoint.GET_ORDER, query=LOOKUP, headers={TOKEN_HEADER: token})
    client.call(Endpoint.SUBMIT_ORDER, body={**ORDER, "note": token}, headers={TOKEN_HEADER: token})
    client.call(Endpoint.GET_ORDER, query={**LOOKUP, "token": token, token: "1"})
    client.send("GET", f"/order/{token}", headers={TOKEN_HEADER: token, INTEGRATOR_HEADER: integrator})
    client.send("PUT", "/order", content=b"\xff" + token.encode(), headers={"authorization": f"Bearer {token}"})


def traffic(session: Session) -> set[str]:
    """A run of requests, lawful and not; answers every token that was given meanwhile."""
    client = session.client
    tokens = {client.access_token()}
    client.call(Endpoint.SUBMIT_ORDER, body=ORDER)
    client.call(Endpoint.SUBMIT_ORDER, body={**ORDER, "customer": EMAIL, "note": f"{PASSWORD} {CREDENTIALS}"})
    client.call(Endpoint.GET_ORDER, query={**LOOKUP, "who": EMAIL, "what": PASSWORD, "all": CREDENTIALS})
    for damage in DAMAGES.values():
        send_with_token(session, damage(client.access_token()))
    pair = client.create_token().json
    tokens |= {pair["accessToken"], pair["refreshToken"]}
    for refresh in (pair["refreshToken"], pair["refreshToken"], other_character(pair["refreshToken"])):
        fields = client.refresh_token(refresh).json
        tokens |= {fields[name] for name in ("accessToken", "refreshToken") if name in fields}
    for wrong in (encode_credentials(EMAIL, "no-password"), encode_credentials(EMAIL, ""), f"{EMAIL}:no-password"):
        client.create_token(wrong)
    client.create_token([CREDENTIALS, {"email": EMAIL, "password": PASSWORD}])
    assert session.control is not None
    session.control.advance(7200)
    client.call(Endpoint.LIST_ACCOUNTS)
    tokens.add(client.access_token())
    return tokens


@pytest.fixture
def har(tmp_path: Path) -> Path:
    return tmp_path / "traffic.har"


@pytest.fixture
def session(har: Path) -> Iterator[Session]:
    session = open_session(Options(), har)
    yield session
    session.close()


def texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value; where it is JSON or base64 itself, what is in there too."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from (name, *texts(part))
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value
        try:
            yield from texts(json.loads(value))
        except ValueError:
            padded = value + "=" * (-len(value) % 4)
            with suppress(ValueError):
                yield base64.b64decode(padded, altchars=b"-_" if "-" in value else None).decode("utf-8", "replace")


def leaks(har: Path, secrets: Mapping[str, str]) -> list[str]:
    """Which of the secrets the file holds, in itself or in what its texts stand for."""
    raw = har.read_text(encoding="utf-8")
    everything = [raw, *texts(json.loads(raw))]
    return [name for name, secret in secrets.items() if any(secret in text for text in everything)]


def test_the_har_file_holds_no_secret_after_a_run_of_requests(session: Session, har: Path) -> None:
    tokens = sorted(traffic(session))
    session.close()
    # A token's beginning is the same for all of them; its end without the last eight characters is not.
    parts = {f"token {number}": token[-43:-8] for number, token in enumerate(tokens)}
    assert len(tokens) >= 6
    assert session.journal.traffic.requests >= 30
    assert leaks(har, {"email": EMAIL, "password": PASSWORD, "credentials": CREDENTIALS[:-8], **parts}) == []


@pytest.mark.parametrize(
    "damage",
    [lambda text: text[:-4], other_character, lambda text: text.rstrip("="), lambda text: text + "!"],
    ids=["cut short", "one character other", "no padding", "one more"],
)
def test_damaged_credentials_are_as_secret_as_whole_ones(
    session: Session, har: Path, damage: Callable[[str], str]
) -> None:
    session.client.create_token(damage(CREDENTIALS))
    session.close()
    assert leaks(har, {"credentials": CREDENTIALS[:12], "email": EMAIL}) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/public/api/auth/token"),
        ("PUT", "/public/api/auth/token"),
        ("POST", "/public/api/auth/token/"),
    ],
)
@pytest.mark.parametrize("field", ["accessToken", "access_token"])
def test_tokens_are_secret_wherever_a_lenient_server_gives_them(har: Path, method: str, path: str, field: str) -> None:
    token = "opaque-token-0123456789"
    with Journal(Redactor(), har, EMAIL) as journal:
        journal.record(
            exchange(
                method=method,
                url=f"https://koncili.example{path}",
                answer=dumps({field: token, "nested": {"refreshToken": token[::-1]}}).encode(),
                endpoint=Endpoint.CREATE_TOKEN if (method, path) == ("POST", Endpoint.CREATE_TOKEN.path) else None,
            )
        )
    assert leaks(har, {"token": token, "nested token": token[::-1]}) == []


OPAQUE = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    "told",
    [
        f'<pre>{{"accessToken": "{OPAQUE}"}}</pre>',
        f"&quot;accessToken&quot;: &quot;{OPAQUE}&quot;",
        f'{{"errorMessage": "got {{\\"accessToken\\": \\"{OPAQUE}\\"}}"}}',
        f"https://koncili.example/?access_token={OPAQUE}",
        f"Authorization: Bearer {OPAQUE}",
        "<p>eyJhbGciOiJIUzI1NiJ9.e30.0123456789abcdefghijklmnopqrstuvwxyz</p>",
    ],
    ids=["a page", "HTML", "JSON in JSON", "a URL", "a header", "a JWT"],
)
def test_a_token_that_an_answer_tells_is_a_secret(har: Path, told: str) -> None:
    with Journal(Redactor(), har) as journal:
        journal.record(exchange(answer=told.encode()))
        journal.record(exchange(answer=b"{}", answer_headers={"x-told": told}))
    assert leaks(har, {"token": OPAQUE}) == []


@pytest.mark.parametrize(
    "letters",
    [
        "WeLKTNPUCrLfonrPBrBuOvkHaEiSYYhvmDFHKTQHIDzJfrVkYXyXsA",
        "qZbRtYuIoPaSdFgHjKlQwErT",
        "xX-_kQwErTyUiOpAsDfGhJkLzXcVbNm",
    ],
)
def test_a_token_may_have_no_digit(har: Path, letters: str) -> None:
    """As one of ten thousand that `secrets.token_urlsafe(40)` makes has none."""
    with Journal(Redactor(), har) as journal:
        journal.record(exchange(answer=f'<pre>{{"accessToken": "{letters}"}}</pre>'.encode()))
    assert leaks(har, {"token": letters}) == []


@pytest.mark.parametrize(
    "word",
    [
        "authentication-required",
        "AuthenticationCredentialsNotFoundException",
        "org.springframework.security.authentication.BadCredentialsException",
        "AUTHENTICATION_TOKEN_HAS_EXPIRED_OR_IS_MISSING",
    ],
)
def test_a_word_after_token_is_none(har: Path, word: str) -> None:
    with Journal(Redactor(), har) as journal:
        journal.record(exchange(answer=f"the token: {word}".encode()))
    assert word in har.read_text()


def test_a_session_cookie_is_a_secret_too(har: Path) -> None:
    cookie = "0123456789abcdef"
    with Journal(Redactor(), har) as journal:
        journal.record(exchange(answer_headers={"set-cookie": f"JSESSIONID={cookie}; Path=/; HttpOnly"}))
    assert leaks(har, {"cookie": cookie}) == []


@pytest.mark.parametrize("before", [None, 0o644], ids=["new", "there already"])
def test_the_har_file_is_the_users_alone(har: Path, before: int | None) -> None:
    if before is not None:
        har.write_text("{}")
        har.chmod(before)
    with Journal(Redactor(), har) as journal:
        journal.record(exchange())
    assert har.stat().st_mode & 0o777 == 0o600


REQUEST = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
RESPONSE = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize"}


def test_the_har_file_is_har_1_2(session: Session, har: Path) -> None:
    session.client.call(Endpoint.SUBMIT_ORDER, body=ORDER)
    session.client.call(Endpoint.GET_ORDER, query=LOOKUP)
    session.client.send("POST", "/nowhere", content=b'\xff"\n')
    session.close()
    log = json.loads(har.read_text(encoding="utf-8"))["log"]
    assert log["version"] == "1.2"
    assert log["creator"]["name"] == "koncili-conformance"
    assert [(entry["request"]["method"], entry["response"]["status"]) for entry in log["entries"]] == [
        ("POST", 200),
        ("POST", 200),
        ("GET", 200),
        ("POST", 404),
    ]
    for entry in log["entries"]:
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        assert entry["request"].keys() >= REQUEST
        assert entry["response"].keys() >= {*RESPONSE, "bodySize"}
        assert entry["response"]["content"].keys() >= {"size", "mimeType", "text"}
        assert entry["timings"].keys() >= {"send", "wait", "receive"}
        assert entry["cache"] == {}
        assert entry["time"] >= 0
        for record in (*entry["request"]["headers"], *entry["request"]["queryString"], *entry["response"]["headers"]):
            assert record.keys() >= {"name", "value"}
    submission, query = log["entries"][1]["request"], log["entries"][2]["request"]
    assert json.loads(submission["postData"]["text"]) == ORDER
    assert submission["postData"]["mimeType"] == "application/json"
    assert {record["name"]: record["value"] for record in query["queryString"]} == LOOKUP
    assert "postData" not in query


def test_a_har_file_without_traffic_is_valid(har: Path) -> None:
    journal = Journal(Redactor(), har)
    journal.close()
    journal.close()
    assert json.loads(har.read_text(encoding="utf-8"))["log"]["entries"] == []


# -- curl ----------------------------------------------------------------------------------------------------------

TOKEN = "eyJhbGciOiJIUzI1NiJ9.abcdefgh"
HEADERS = {"content-type": "application/json", "gumgatoken": TOKEN, "integrator": "3f0e0f64", "user-agent": "x"}


def exchange(
    *,
    method: str = "POST",
    url: str = "https://koncili.example/order",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    answer: bytes = b"{}",
    answer_headers: Mapping[str, str] | None = None,
    endpoint: Endpoint | None = None,
) -> Exchange:
    sent = HEADERS if headers is None else headers
    started = datetime(2026, 6, 1, tzinfo=UTC)
    return Exchange(started, method, url, sent, body, 200, answer_headers or {}, answer, 0.1, endpoint)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[list[bytes], bytes]]:
    """Runs a line by a shell on whose PATH curl only tells what it was given: its arguments and its input."""
    curl = tmp_path / "bin" / "curl"
    curl.parent.mkdir()
    curl.write_text(
        f"#!{sys.executable} -IS\n"
        "import os, sys\n"
        "given = b'' if '@-' not in sys.argv else sys.stdin.buffer.read()\n"
        "print([os.fsencode(part) for part in sys.argv[1:]], given, sep='\\n')\n"
    )
    curl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{curl.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KONCILI_TOKEN", "token-of-the-reader")

    def run(line: str) -> tuple[list[bytes], bytes]:
        done = subprocess.run(["sh", "-c", line], capture_output=True, check=True, cwd=tmp_path)
        arguments, given = done.stdout.splitlines()
        return ast.literal_eval(arguments.decode()), ast.literal_eval(given.decode())

    return run


def body_of(arguments: list[bytes], given: bytes) -> bytes:
    """What the real curl would send as the body."""
    if b"--data-binary" in arguments:
        assert arguments[arguments.index(b"--data-binary") + 1] == b"@-"
        return given
    return arguments[arguments.index(b"--data-raw") + 1]


def headers_of(arguments: list[bytes]) -> list[str]:
    return [arguments[place + 1].decode() for place, part in enumerate(arguments) if part == b"-H"]


BODIES = {
    "JSON": b'{"marketplaceCode": "A-1", "value": 10.50}',
    "quotes": b"""{"name": "O'Neill \\"Bob\\" & 'Ana'"}""",
    "newlines": b'{\n\t"a": 1\r\n}\n',
    "Unicode": '{"customer": "João 李雷 🚚"}'.encode(),
    "shell": b"$HOME `id` $(id) \\ !! ; | & > < * ? ~ #",
    "at": b"@/etc/hostname",
    "option": b"--version",
    "spaces": b"  ",
    "not UTF-8": b'{"a": "\xff\xfe\'"}\n',
    "NUL": b'{"a": "\x00"}',
    "nobody sees them": '{"code": "A\u200b\u202e\u2028\x85\x1b[2JB", "n": 1}'.encode(),
    "an option, not printable": b"-v %s %% \\n \x07",
    "digits after one": b"\x071234 \\101",
    "empty": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_curl_line_sends_the_same_bytes(run: Callable[[str], tuple[list[bytes], bytes]], body: bytes) -> None:
    line = as_curl(exchange(body=body), knowing((TOKEN, "accessToken")))
    assert body_of(*run(line)) == body
    assert line.isprintable()


def test_a_curl_line_sends_the_same_request(run: Callable[[str], tuple[list[bytes], bytes]]) -> None:
    url = "https://koncili.example/order?marketplaceCode=a%27b&x=$(id)'\"&y=1"
    arguments, _ = run(as_curl(exchange(method="DELETE", url=url), knowing((TOKEN, "accessToken"))))
    assert arguments[:3] == [b"-i", b"-X", b"DELETE"]
    assert arguments[-1] == url.encode()
    assert sorted(headers_of(arguments)) == [
        "content-type: application/json",
        "gumgaToken: token-of-the-reader",
        "integrator: 3f0e0f64",
    ]


def test_a_made_up_token_is_shown_and_an_absent_one_left_out(run: Callable[[str], tuple[list[bytes], bytes]]) -> None:
    redactor = knowing((TOKEN, "accessToken"))
    made_up, _ = run(as_curl(exchange(headers={"gumgatoken": "it's $HOME"}), redactor))
    absent, _ = run(as_curl(exchange(headers={}), redactor))
    assert headers_of(made_up) == ["gumgatoken: it's $HOME"]
    assert headers_of(absent) == []


def test_a_body_that_went_in_chunks_goes_in_chunks_again(run: Callable[[str], tuple[list[bytes], bytes]]) -> None:
    arguments, _ = run(as_curl(exchange(headers={"transfer-encoding": "chunked"}, body=b"{}"), knowing()))
    assert headers_of(arguments) == ["transfer-encoding: chunked"]


def test_an_empty_header_is_sent_empty(run: Callable[[str], tuple[list[bytes], bytes]]) -> None:
    """curl takes `name:` for "leave it out"; `name;` sends it empty."""
    arguments, _ = run(as_curl(exchange(headers={"integrator": ""}), Redactor()))
    assert headers_of(arguments) == ["integrator;"]


@pytest.mark.parametrize(
    "sent",
    [
        exchange(),
        exchange(url=f"https://koncili.example/order?t={TOKEN}"),
        exchange(headers={"integrator": TOKEN}),
        exchange(body=dumps({"note": f"{TOKEN} {PASSWORD}"}).encode()),
        exchange(body=f"\xff {TOKEN} {PASSWORD}".encode("latin-1")),
        exchange(body=f"\x00 {TOKEN} {PASSWORD}".encode()),
    ],
    ids=["header", "URL", "another header", "body", "body that is not UTF-8", "body with NUL"],
)
def test_no_secret_is_in_a_curl_line(run: Callable[[str], tuple[list[bytes], bytes]], sent: Exchange) -> None:
    line = as_curl(sent, knowing((TOKEN, "accessToken"), (PASSWORD, "password")))
    assert TOKEN not in line
    assert PASSWORD not in line
    if "printf" in line:
        arguments, given = run(line)
        assert TOKEN.encode() not in body_of(arguments, given)
        assert PASSWORD.encode() not in body_of(arguments, given)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_real_curl_understands_the_line() -> None:
    sent = exchange(url="http://127.0.0.1:1/order", body=BODIES["quotes"])
    line = as_curl(sent, knowing((TOKEN, "accessToken")))
    no_proxy = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=False, timeout=20, env=no_proxy)
    assert done.returncode == 7, done.stderr  # could not connect; 2 would be a wrong use
