"""Whatever comes, the mock answers, and never with a server error."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, Final
from wsgiref.util import setup_testing_defaults

from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.contract.judge import Request
from conformance.mock import world
from conformance.mock.app import CONTROL_PATH, make_app
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Quirk
from tests.suite.support import bodies
from tests.suite.support.mock_calls import Caller, order, refusal
from tests.suite.support.properties import HOME, prove

WORDS: Final = st.text(st.characters(), max_size=20)

METHODS: Final = st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "get"]) | st.text("ABCxyz", max_size=6)

PATHS: Final = st.sampled_from([*{endpoint.path for endpoint in Endpoint}, "/", "//order", "/order/%00"])

BODIES: Final = st.binary(max_size=60) | st.sampled_from(
    [
        b"{}",
        b"null",
        b"[" * 10_000,
        b'{"credentials": 1E+400}',
        b'{"accountId": 1, "accountId": 2}',
        *(dumps(body).encode() for body in (order(), *bodies.LAWFUL.values())),
    ]
)

QUERIES: Final = st.dictionaries(
    st.sampled_from(["marketplaceCode", "channelName", "accountId", "x"]),
    WORDS | st.sampled_from([str(HOME.account), HOME.channel, world.FOREIGN_CODE]),
)


def test_no_request_makes_the_mock_raise_or_answer_5xx() -> None:
    koncili = Koncili()
    token, _ = koncili.world.issue_tokens()
    headers = st.fixed_dictionaries(
        {}, optional={"gumgatoken": WORDS | st.just(token), "integrator": WORDS | st.just(world.INTEGRATOR), "x": WORDS}
    )

    def law(request: Request) -> None:
        answer = koncili.handle(request)
        assert answer.status < 500
        dumps(answer.body)

    lawful = st.just({"gumgatoken": token, "integrator": world.INTEGRATOR})
    prove(st.builds(Request, METHODS, PATHS | WORDS, QUERIES, headers | lawful, BODIES), law, 300)


def call_wsgi(koncili: Koncili, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> int:
    """The status of the mock's answer to a request of any bytes, which are written as characters below U+0100."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start(status: str, _: list[tuple[str, str]], __: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda data: data

    answer = b"".join(make_app(koncili)(environ, start))
    assert not answer or isinstance(loads(answer), dict | list)
    return int(statuses[-1].split()[0])


def test_no_bytes_on_the_wire_make_a_5xx() -> None:
    koncili = Koncili()
    token, _ = koncili.world.issue_tokens()
    latin = st.text(st.characters(max_codepoint=0xFF), max_size=20)
    headers = st.fixed_dictionaries(
        {"gumgatoken": st.just(token) | latin, "integrator": st.just(world.INTEGRATOR) | latin},
        optional={"content_type": latin, "accept": latin, "host": latin, "cookie": latin},
    )
    paths = PATHS | latin.map("/".__add__) | st.just(CONTROL_PATH)
    requests = st.tuples(METHODS, paths, latin | latin.map("marketplaceCode=%ff&accountId=".__add__), headers, BODIES)

    def law(drawn: tuple[str, str, str, dict[str, str], bytes]) -> None:
        assert call_wsgi(koncili, *drawn) < 500

    prove(requests, law, 200)


def test_a_number_that_no_decimal_holds_is_refused() -> None:
    answer = Caller().call("POST", "/order", b'{"totalGrossValue": 1E+99999999999999999999}')
    assert refusal(answer) == (400, "400-0")


def test_a_path_without_a_slash_gets_the_mock_s_own_refusal() -> None:
    """As in `OPTIONS *`."""
    koncili = Koncili(quirks=[Quirk(name="teapot", statement="Is a teapot.", answers=lambda *_: Answer(418))])
    assert call_wsgi(koncili, "OPTIONS", "*", "", {}, b"") == 418, "the framework answered, not the mock"
