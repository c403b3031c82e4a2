"""The mock in process answers as it does behind WSGI, whatever comes."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.mock.app import make_app
from conformance.mock.in_process import InProcess
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Leaves, Variant
from tests.suite.mock.test_mock_garbage import BODIES, METHODS, QUERIES
from tests.suite.support.properties import prove

Seen = tuple[int, list[tuple[bytes, bytes]], bytes]

PATHS = st.sampled_from([*{endpoint.path for endpoint in Endpoint}, "/", "//order", "/order/%20"])
HEADERS = st.dictionaries(
    st.sampled_from(["gumgaToken", "Integrator", "x_y", "X-Y", "content-type"]), st.text("abc =", max_size=4)
)


def answered(transport: httpx.BaseTransport, request: httpx.Request) -> Seen:
    response = transport.handle_request(request)
    return response.status_code, response.headers.raw, response.read()


def both(koncili: Koncili) -> tuple[httpx.BaseTransport, httpx.BaseTransport]:
    return InProcess(koncili), httpx.WSGITransport(make_app(koncili))


def test_any_request_is_answered_as_behind_wsgi() -> None:
    koncili = Koncili()

    def law(drawn: tuple[str, str, dict[str, str], dict[str, str], bytes]) -> None:
        method, path, query, headers, body = drawn
        seen = [
            answered(one, httpx.Request(method, f"http://mock{path}", params=query, headers=headers, content=body))
            for one in both(koncili)
        ]
        assert seen[0] == seen[1]

    prove(st.tuples(METHODS.filter(bool), PATHS, QUERIES, HEADERS, BODIES), law, 300)


def heard(transport: httpx.BaseTransport, koncili: Koncili) -> list[object]:
    """What the mock understood of a request that says much."""
    seen: list[object] = []
    koncili.witness = lambda request, *_: seen.append(request)
    headers = [("X-Y", "1"), ("x_y", "2"), ("content-type", "a/b"), ("a", "1"), ("A", "2")]
    transport.handle_request(
        httpx.Request("POST", "http://mock/order?a=%20+b&a=%C3%A9&c", headers=headers, content=b"{}")
    )
    return seen


def test_the_mock_understands_the_same() -> None:
    koncili = Koncili()
    direct, by_wsgi = (heard(one, koncili) for one in both(koncili))
    assert direct == by_wsgi
    assert direct


def test_a_path_is_read_as_on_a_socket() -> None:
    answer = InProcess(Koncili()).handle_request(httpx.Request("GET", "http://mock/caf%C3%A9"))
    assert b"/caf\\u00e9 is not a documented path" in answer.read()  # httpx's WSGI would show it as no letter


def test_a_request_that_is_sent_again_as_it_is_gets_the_same_answers() -> None:
    koncili = Koncili()
    direct, _ = both(koncili)
    assert isinstance(direct, InProcess)
    request = httpx.Request("POST", "http://mock/order", content=b"{}", headers={"integrator": "x"})
    whole = direct.handle_request(request)
    whole.read()
    for _ in range(2):
        status, headers, body = direct.answer_again(request)
        assert (status, httpx.Headers(headers), body) == (whole.status_code, whole.headers, whole.content)


def test_half_an_answer_leaves_by_half() -> None:
    half = Variant(name="half", statement="", answers=lambda _, answer: answer.having(leaves=Leaves.HALF))
    seen = [answered(one, httpx.Request("GET", "http://mock/order")) for one in both(Koncili(quirks=[half]))]
    assert seen[0] == seen[1]
    assert len(seen[0][2]) == int(dict(seen[0][1])[b"content-length"]) // 2


def test_an_answer_that_does_not_leave_is_a_reset_connection() -> None:
    none = Variant(name="none", statement="", answers=lambda _, answer: answer.having(leaves=Leaves.NOT_AT_ALL))
    for one in both(Koncili(quirks=[none])):
        with pytest.raises(ConnectionResetError):
            one.handle_request(httpx.Request("GET", "http://mock/order"))


def test_an_error_of_the_mock_is_one_answer_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    broken = Variant(name="broken", statement="", answers=lambda *_: Answer(200, object()))
    for one in both(Koncili(quirks=[broken])):
        assert answered(one, httpx.Request("GET", "http://mock/order"))[0] == 500
        assert "Traceback" in capsys.readouterr().err
