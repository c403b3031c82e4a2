"""The mock by itself: what it documents, its clock and control interface, its quirks, and that no request breaks it."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
from hypothesis import strategies as st

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.contract.judge import Request
from conformance.contract.readings import READINGS, resolve
from conformance.contract.rules import catalogue
from conformance.mock import world
from conformance.mock.app import CONTROL_PATH, make_app
from conformance.mock.clock import EPOCH, VirtualClock, ticking
from conformance.mock.defects import DEFECTS, defect
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Defect, Quirk, Variant, table
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.variants import VARIANTS, variant
from conformance.profiles import PROFILES
from conformance.target.config import parse_target
from conformance.target.wire.decoding import in_utf8
from strategies.calls import LEFT_OUT
from tests.suite.support import bodies
from tests.suite.support.properties import HOME, prove

Body = dict[str, Any]

CREDENTIALS: Final = {"credentials": encode_credentials(world.EMAIL, world.PASSWORD)}
CODE: Final = "701-2798273-4005859"


def order(**changes: object) -> Body:
    """A lawful order with these changes; what is LEFT_OUT goes."""
    lawful = {
        "marketplaceCode": CODE,
        "channelName": HOME.channel,
        "accountId": HOME.account,
        "status": "INVOICED",
        "createdDate": "2025-05-09T12:00:00Z",
        "approvedDate": None,
        "totalGrossValue": Decimal("203.60"),
        "extracts": [{"marketplaceCode": CODE, "type": "SALE", "value": Decimal("203.60")}],
    }
    return {name: value for name, value in {**lawful, **changes}.items() if value is not LEFT_OUT}


@dataclass
class Caller:
    """A client of a mock in process. It holds a token unless that is taken away."""

    koncili: Koncili = field(default_factory=Koncili)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._http = httpx.Client(transport=httpx.WSGITransport(make_app(self.koncili)), base_url="http://mock")
        access, _ = self.koncili.world.issue_tokens()
        self.headers |= {"gumgaToken": access, "integrator": world.INTEGRATOR}

    def call(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        """Send a request; a body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else dumps(body).encode()
        return self._http.request(method, path, content=content, params=query, headers=self.headers)

    def token(self, body: object = None) -> httpx.Response:
        """Ask for tokens, with the right credentials unless others are given."""
        return self.call("POST", Endpoint.CREATE_TOKEN.path, CREDENTIALS if body is None else body)

    def refresh(self, token: str) -> httpx.Response:
        """Spend a refresh token."""
        return self.call("POST", Endpoint.REFRESH_TOKEN.path, {"refreshToken": token})

    def submit(self, **changes: object) -> httpx.Response:
        """Submit the order with these changes."""
        return self.call("POST", "/order", order(**changes))

    def look_up(self, method: str = "GET", **changes: str) -> httpx.Response:
        """Ask for the order (or delete it), with these changes of the query."""
        query = {"marketplaceCode": CODE, "channelName": HOME.channel, "accountId": str(HOME.account)}
        return self.call(method, "/order", **(query | changes))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose body is checked to be as documented."""
    body = loads(_in_utf8(answer))
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert isinstance(body["errorMessage"], str)
    assert body["errorCode"].partition("-")[0] == str(answer.status_code)
    return answer.status_code, body["errorCode"]


def shown(answer: httpx.Response) -> Any:
    """The order in an answer to a query, its money exact."""
    assert answer.status_code == 200
    return loads(_in_utf8(answer))


def _in_utf8(answer: httpx.Response) -> bytes:
    """The body, by the charset that it declares."""
    return in_utf8(answer.content, answer.headers["content-type"])


# -- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_opens_the_other_endpoints() -> None:
    caller = Caller()
    caller.headers["gumgaToken"] = caller.token().json()["accessToken"]
    assert caller.call("GET", "/my-accounts").status_code == 200


@pytest.mark.parametrize("integrator", [world.INTEGRATOR, world.INTEGRATOR.upper()], ids=["lower case", "upper case"])
def test_the_names_of_headers_have_no_case(integrator: str) -> None:
    caller = Caller()
    caller.headers = {"GUMGATOKEN": caller.headers["gumgaToken"], "Integrator": integrator}
    assert caller.call("GET", "/my-accounts").status_code == 200


LIFETIMES: Final[dict[str, tuple[Koncili, int]]] = {
    "two hours": (Koncili(), 7200),
    "the reading one-hour": (Koncili(readings={"token-lifetime": "one-hour"}), 3600),
    "the variant one-hour-tokens": (Koncili(quirks=[variant("one-hour-tokens")]), 3600),
}


@pytest.mark.parametrize(("koncili", "seconds"), LIFETIMES.values(), ids=LIFETIMES)
def test_a_token_lives_as_long_as_documented(koncili: Koncili, seconds: int) -> None:
    caller = Caller(koncili)
    tokens = caller.token().json()
    caller.headers["gumgaToken"] = tokens["accessToken"]
    assert tokens["expiresIn"] == seconds
    koncili.clock.advance(seconds - 1)
    assert caller.call("GET", "/my-accounts").status_code == 200
    koncili.clock.advance(1)
    dead = caller.call("GET", "/my-accounts")
    assert (dead.status_code, dead.json()) == (403, {"response": "NO_TOKEN"})


def test_a_refresh_voids_the_token_it_spends() -> None:
    caller = Caller()
    first = caller.token().json()
    second = caller.refresh(first["refreshToken"]).json()
    assert {first["accessToken"], first["refreshToken"]}.isdisjoint({second["accessToken"], second["refreshToken"]})
    assert refusal(caller.refresh(first["refreshToken"])) == (401, "401-0")
    assert caller.refresh(second["refreshToken"]).status_code == 200


def test_an_access_token_is_no_refresh_token() -> None:
    caller = Caller()
    assert refusal(caller.refresh(caller.headers["gumgaToken"])) == (401, "401-0")


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c"], ids=["left out", "empty", "unknown", "shaped like one"])
def test_no_call_without_a_living_token(token: str | None) -> None:
    caller = Caller()
    del caller.headers["gumgaToken"]
    if token is not None:
        caller.headers["gumgaToken"] = token
    answers = [caller.call("GET", "/my-accounts"), caller.submit(), caller.look_up(), caller.look_up("DELETE")]
    answers += [caller.call("POST", endpoint.path, body) for endpoint, body in bodies.LAWFUL.items()]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(403, {"response": "NO_TOKEN"})] * 6


# -- accounts and orders -------------------------------------------------------------------------------------------


def test_every_account_is_listed() -> None:
    rows = Caller().call("GET", "/my-accounts").json()
    assert [row["id"] for row in rows] == [19055, 19056, 19060, world.INACTIVE.id, world.DISABLED.id]
    assert [row["status"] for row in rows] == ["ACTIVE"] * 3 + ["INACTIVE", "ACTIVE"]
    assert [row["apiImport"] for row in rows] == [True] * 4 + [False]
    assert [row["channelName"] for row in rows[:3]] == [world.CHANNEL, world.CHANNEL, world.OTHER_CHANNEL]


def test_an_order_is_stored_as_it_was_sent() -> None:
    caller = Caller()
    sent = order(comment="João 🚚 \x00 \ud800", nested={"a": [None, True, Decimal("1.10")]}, accountId="19055")
    assert caller.submit(**sent).status_code == 200
    assert repr(shown(caller.look_up())) == repr(sent)


def test_a_new_submission_replaces_the_order_whole() -> None:
    caller = Caller()
    caller.submit(comment="first", approvedDate="2025-05-09T13:00:00Z")
    caller.submit(status="CANCELED", cancelDate="2025-05-10T12:00:00Z", totalGrossValue=LEFT_OUT)
    assert shown(caller.look_up()) == order(
        status="CANCELED", cancelDate="2025-05-10T12:00:00Z", totalGrossValue=LEFT_OUT
    )


def test_a_refused_update_changes_nothing() -> None:
    caller = Caller()
    caller.submit()
    assert refusal(caller.submit(status="PAID")) == (400, "400-0")
    assert shown(caller.look_up()) == order()


def test_a_deleted_order_is_gone_and_no_other() -> None:
    caller = Caller()
    neighbour = {"accountId": str(world.ENABLED[1].id)}
    caller.submit()
    caller.submit(accountId=world.ENABLED[1].id)
    assert caller.look_up("DELETE").status_code == 200
    assert refusal(caller.look_up()) == (404, "404-3")
    assert refusal(caller.look_up("DELETE")) == (404, "404-3")
    assert caller.look_up(**neighbour).status_code == 200
    assert caller.submit().status_code == 200
    assert shown(caller.look_up()) == order()


@pytest.mark.parametrize("code", ["#1/2&A+B", "20 %", "ção", "a" * 300, "👍"], ids=ascii)
def test_a_code_is_any_text(code: str) -> None:
    caller = Caller()
    caller.submit(marketplaceCode=code, extracts=[{"marketplaceCode": code, "type": "SALE", "value": 1}])
    assert shown(caller.look_up(marketplaceCode=code))["marketplaceCode"] == code
    assert caller.look_up("DELETE", marketplaceCode=code).status_code == 200


REFUSED_OTHERWISE: Final = {"other-codes": (400, "400-917"), "conflicts": (409, "409-0"), "bare-codes": (400, "400")}
"""Variants that use what no document says of a deletion that is refused: its code, and which 4xx it is."""


@pytest.mark.parametrize("name", VARIANTS)
def test_the_foreign_order_is_there_from_the_start_and_stays(name: str) -> None:
    caller = Caller(Koncili(quirks=[VARIANTS[name]], readings=dict(VARIANTS[name].readings)))
    foreign = {"marketplaceCode": world.FOREIGN_CODE}
    assert shown(caller.look_up(**foreign))["marketplaceCode"] == world.FOREIGN_CODE
    assert refusal(caller.look_up("DELETE", **foreign)) == REFUSED_OTHERWISE.get(name, (400, "400-0"))
    assert caller.look_up(**foreign).status_code == 200


# -- consolidation -------------------------------------------------------------------------------------------------

CONSOLIDATION: Final[dict[str, tuple[str, int, int]]] = {
    # the variant, seconds after noon at which a change is made, seconds until it shows
    "at noon, at the half hour": ("half-hour-consolidation", 0, 1800),
    "a second after, at the half hour": ("half-hour-consolidation", 1, 1799),
    "a second before the half hour": ("half-hour-consolidation", 1799, 1),
    "at the half hour, at the next": ("half-hour-consolidation", 1800, 1800),
    "any time, after 29 minutes": ("slow-consolidation", 77, 1740),
}


@pytest.mark.parametrize(("name", "since_noon", "seconds"), CONSOLIDATION.values(), ids=CONSOLIDATION)
def test_a_change_shows_at_its_consolidation(name: str, since_noon: int, seconds: int) -> None:
    caller = Caller(Koncili(quirks=[variant(name)]))
    clock = caller.koncili.clock
    clock.advance(since_noon)

    def changes(change: Callable[[], httpx.Response], see: Callable[[], object], before: object, after: object) -> None:
        assert change().status_code == 200
        assert see() == before
        clock.advance(seconds - 1)
        assert see() == before
        clock.advance(1)
        assert see() == after
        clock.advance(3600 - seconds)

    def seen() -> object:
        answer = caller.look_up()
        return answer.json()["status"] if answer.status_code == 200 else refusal(answer)

    unknown = (404, "404-3")
    canceled = {"status": "CANCELED", "cancelDate": "2025-05-10T12:00:00Z"}
    caller.koncili.world.token_seconds = 10**6
    caller.headers["gumgaToken"], _ = caller.koncili.world.issue_tokens()
    changes(caller.submit, seen, unknown, "INVOICED")
    changes(lambda: caller.submit(**canceled), seen, "INVOICED", "CANCELED")
    changes(lambda: caller.look_up("DELETE"), seen, "CANCELED", unknown)


def test_a_plain_mock_consolidates_at_once() -> None:
    caller = Caller()
    caller.submit()
    assert caller.look_up().status_code == 200


def test_a_deletion_need_not_wait_for_consolidation() -> None:
    caller = Caller(Koncili(quirks=[variant("half-hour-consolidation")]))
    caller.submit()
    assert caller.look_up("DELETE").status_code == 200
    assert refusal(caller.look_up("DELETE")) == (404, "404-3")
    caller.koncili.clock.advance(1800)
    assert refusal(caller.look_up()) == (404, "404-3")


def test_of_changes_between_two_consolidations_the_last_shows() -> None:
    caller = Caller(Koncili(quirks=[variant("half-hour-consolidation")]))
    for number in range(3):
        caller.submit(comment=number)
        caller.koncili.clock.advance(60)
    caller.koncili.clock.advance(1620)
    assert shown(caller.look_up())["comment"] == 2


# -- errors --------------------------------------------------------------------------------------------------------

ACCOUNT_ERRORS: Final[dict[str, tuple[dict[str, str], int, str]]] = {
    "not enabled for API imports": ({"accountId": str(world.DISABLED.id)}, 400, "400-2"),
    "inactive": ({"accountId": str(world.INACTIVE.id)}, 403, "403-1"),
    "not authorised on the channel": ({"channelName": world.OTHER_CHANNEL}, 403, "403-2"),
    "no such account": ({"accountId": "7"}, 404, "404-1"),
    "no such channel": ({"channelName": "invalid_channel"}, 404, "404-2"),
}


@pytest.mark.parametrize(("where", "status", "code"), ACCOUNT_ERRORS.values(), ids=ACCOUNT_ERRORS)
def test_an_account_is_refused_on_every_endpoint(where: dict[str, str], status: int, code: str) -> None:
    caller = Caller()
    answers = [caller.submit(**where), caller.look_up(**where), caller.look_up("DELETE", **where)]
    answers += [caller.call("POST", endpoint.path, body | where) for endpoint, body in bodies.LAWFUL.items()]
    assert [refusal(answer) for answer in answers] == [(status, code)] * 5


ORDER_ERRORS: Final[dict[str, tuple[Body, str]]] = {
    "a status": ({"status": "PAID"}, "400-0"),
    "a malformed date": ({"createdDate": "yesterday"}, "400-0"),
    "dates out of order": ({"approvedDate": "2025-05-09T11:59:59.999Z"}, "400-3"),
    "no extracts": ({"extracts": []}, "400-0"),
    "a missing field": ({"channelName": LEFT_OUT}, "400-0"),
    "a type": ({"totalGrossValue": "203.60"}, "400-0"),
}


@pytest.mark.parametrize(("changes", "code"), ORDER_ERRORS.values(), ids=ORDER_ERRORS)
def test_an_order_is_refused_with_its_code(changes: Body, code: str) -> None:
    assert refusal(Caller().submit(**changes)) == (400, code)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_order_has_its_code(method: str) -> None:
    assert refusal(Caller().look_up(method)) == (404, "404-3")


@pytest.mark.parametrize("credentials", ["", "x", None, encode_credentials(world.EMAIL, "no")], ids=repr)
def test_wrong_credentials_get_no_token(credentials: str | None) -> None:
    answer = Caller().token({"credentials": credentials})
    assert refusal(answer) == (401, "401-0")
    assert "accessToken" not in answer.text


@pytest.mark.parametrize("integrator", ["", "x", world.INTEGRATOR[:-1]], ids=["empty", "no UUID", "cut short"])
def test_the_integrator_is_a_uuid(integrator: str) -> None:
    caller = Caller()
    caller.headers["integrator"] = integrator
    assert refusal(caller.call("GET", "/my-accounts")) == (400, "400-0")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *[("GET", path, 404) for path in ("/", "/orders", "/order/", "/ORDER", "/order/7")],
        *[(method, "/order", 405) for method in ("PUT", "PATCH", "OPTIONS", "BREW")],
        ("POST", "/my-accounts", 405),
        *[("GET", path, 405) for path in ("/reconciliation", "/reconciliation/release")],
        *[("POST", path, 404) for path in ("/reconciliations", "/reconciliation/", "/reconciliation/237/release")],
        ("GET", Endpoint.CREATE_TOKEN.path, 405),
    ],
)
def test_only_documented_paths_and_methods(method: str, path: str, status: int) -> None:
    assert refusal(Caller().call(method, path)) == (status, f"{status}-0")


# -- clock and control interface -----------------------------------------------------------------------------------


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock()
    assert clock.now() == EPOCH
    clock.advance(0)
    clock.advance(90.5)
    assert clock.now() == EPOCH + timedelta(seconds=90.5)


@pytest.mark.parametrize("seconds", [-1, -0.001, float("-inf"), float("nan")])
def test_a_clock_moves_forward_only(seconds: float) -> None:
    clock = VirtualClock()
    with pytest.raises(ValueError, match=r"forward|NaN"):
        clock.advance(seconds)
    assert clock.now() == EPOCH


def test_a_ticking_clock_follows_real_time() -> None:
    clock = ticking()
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    clock.advance(3600)
    assert clock.now() >= before + timedelta(hours=1)


def test_the_control_interface_tells_and_moves_the_clock() -> None:
    caller = Caller(headers={})
    assert caller.call("GET", CONTROL_PATH).json() == {"mock": "koncili-conformance", "now": EPOCH.isoformat()}
    moved = caller.call("POST", CONTROL_PATH, {"advanceSeconds": 1800})
    later = (EPOCH + timedelta(minutes=30)).isoformat()
    assert (moved.status_code, moved.json()["now"]) == (200, later)
    assert caller.call("GET", CONTROL_PATH).json()["now"] == later
    assert caller.koncili.clock.now().isoformat() == later


BAD_CONTROL: Final = {
    "nothing": b"",
    "not JSON": b"60",
    "an array": b"[60]",
    "another field": b'{"seconds": 60}',
    "null": b'{"advanceSeconds": null}',
    "a word": b'{"advanceSeconds": "soon"}',
    "an object": b'{"advanceSeconds": {}}',
    "back": b'{"advanceSeconds": -1}',
    "NaN": b'{"advanceSeconds": NaN}',
    "beyond a double": b'{"advanceSeconds": 1e400}',
    "beyond any span": b'{"advanceSeconds": 1e15}',
    "past the year 9999": b'{"advanceSeconds": 252000000000}',
    "invalid UTF-8": b"\xff",
}


@pytest.mark.parametrize("body", BAD_CONTROL.values(), ids=BAD_CONTROL)
def test_the_control_interface_refuses_what_moves_no_clock(body: bytes) -> None:
    caller = Caller()
    assert refusal(caller.call("POST", CONTROL_PATH, body)) == (400, "400-0")
    assert caller.call("GET", CONTROL_PATH).json()["now"] == EPOCH.isoformat()


# -- garbage -------------------------------------------------------------------------------------------------------

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


# -- quirks --------------------------------------------------------------------------------------------------------

QUIRKS: Final[dict[str, Quirk]] = {**DEFECTS, **VARIANTS}


def mock_with(quirk: Quirk) -> Koncili:
    """A mock with this quirk and the readings that it follows."""
    return Koncili(quirks=[quirk], readings=dict(quirk.readings) if isinstance(quirk, Variant) else {})


@pytest.mark.parametrize("name", QUIRKS)
def test_a_mock_with_a_quirk_gives_a_token(name: str) -> None:
    answer = Caller(mock_with(QUIRKS[name])).token()
    assert answer.status_code == (201 if name == "other-success-statuses" else 200)
    assert answer.json()["accessToken"]


DONE_IN_A_CRASH: Final = {
    *(f"err-02-half-done-{call}" for call in ("creation", "release", "deletion")),
    "del-06-unique-key",
    "del-06-unique-key-with-a-flag",
}
"""Those that answer 500 to lawful calls: that is what is wrong with them."""


@pytest.mark.parametrize("name", [name for name in QUIRKS if name not in DONE_IN_A_CRASH])
def test_a_mock_with_a_quirk_answers_every_lawful_call(name: str) -> None:
    caller = Caller(mock_with(QUIRKS[name]))
    answers = [caller.call("GET", "/my-accounts"), caller.submit(), caller.submit(), caller.look_up()]
    answers += [caller.look_up("DELETE"), caller.look_up("DELETE"), caller.look_up(), caller.submit()]
    for body in (bodies.creation(), bodies.creation(**bodies.LATER)):
        answers.append(caller.call("POST", "/reconciliation", body))
        answers.append(caller.call("POST", "/reconciliation/release", bodies.release(releases=order()["extracts"])))
        answers.append(caller.call("POST", CONTROL_PATH, {"advanceSeconds": 86_400, "abandonReconciliations": True}))
        caller.headers["gumgaToken"], _ = caller.koncili.world.issue_tokens()
    answers += [caller.look_up("DELETE"), caller.look_up()]
    assert max(answer.status_code for answer in answers) < 500


BOUNDED_DATES: Final = {"no-old-orders", "no-far-dates"}
"""Those that refuse the ends of time."""


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_shows_any_date_that_it_takes(name: str) -> None:
    caller = Caller(mock_with(VARIANTS[name]))
    ends = {"createdDate": "0001-01-01T00:00:00+01:00", "approvedDate": "9999-12-31T23:59:59-01:00"}
    account = str(HOME.account) if name == "account-id-strings-only" else HOME.account
    answer = caller.submit(**ends, accountId=account)
    if name in BOUNDED_DATES:
        assert answer.status_code == 400
        return
    assert answer.status_code == 200
    caller.koncili.clock.advance(1800)
    assert caller.look_up().status_code == 200


@pytest.mark.parametrize("name", DEFECTS)
def test_the_rules_of_a_defect_are_in_the_catalogue(name: str) -> None:
    found = DEFECTS[name]
    assert found.rules
    assert found.rules <= set(catalogue().rules)
    assert found.needs_profile in PROFILES


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_says_what_it_does(name: str) -> None:
    quirk = QUIRKS[name]
    assert quirk.name == name
    assert quirk.statement[0].isupper()
    assert quirk.statement.endswith(".")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_readings_of_a_variant_are_readings(name: str) -> None:
    for reading, value in VARIANTS[name].readings:
        assert value in READINGS[reading].values


@pytest.mark.parametrize(
    ("find", "wrong", "right"),
    [(defect, "ord-07-not-enforcd", "ord-07-not-enforced"), (variant, "more-feilds", "more-fields")],
    ids=["defect", "variant"],
)
def test_a_name_that_there_is_not_gets_names_that_there_are(
    find: Callable[[str], Quirk], wrong: str, right: str
) -> None:
    assert find(right).name == right
    with pytest.raises(KeyError, match=f"{wrong}.*{right}"):
        find(wrong)
    with pytest.raises(KeyError, match="zzz"):
        find("zzz")


def test_two_quirks_have_two_names() -> None:
    one = Defect(name="one", statement="Is one.", rules=frozenset({"ORD-01"}))
    with pytest.raises(ValueError, match="twice"):
        table(one, one)


# -- target file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_the_mock_s_target_file_is_one(name: str) -> None:
    written = mock_target_table("http://127.0.0.1:8765", dict(VARIANTS[name].readings))
    read = tomllib.loads(to_toml(written))
    assert read == {key: value for key, value in written.items() if value != {}}
    target = parse_target(read, "mock.toml")
    assert (target.environment, target.base_url, target.pace) == ("mock", "http://127.0.0.1:8765", "unlimited")
    assert target.credentials.values() == (world.EMAIL, world.PASSWORD)
    assert [account.id for account in target.accounts] == [account.id for account in world.ENABLED]
    assert target.fixtures.foreign_order is not None
    assert target.fixtures.foreign_order.marketplace_code == world.FOREIGN_CODE
    assert dict(target.readings) == dict(resolve(dict(VARIANTS[name].readings))), "every reading is stated"


TEXTS: Final = ["plain", "", 'a "b" \\c', "tab\tnewline\n", "\x00\x1f", "São João", "\x7f", "🚚"]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_any_text_survives_toml(text: str) -> None:
    given = {"name": text, "table": {"key": text, "inner": {"text": text, "number": 7}}, "rows": [{"text": text}]}
    assert tomllib.loads(to_toml(given)) == given


# -- on a socket ---------------------------------------------------------------------------------------------------


@contextmanager
def served(target_file: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The mock served on a socket, as a process and a base URL; it is ended in any case."""
    script = Path(sys.executable).with_name("koncili-conformance")
    command = [str(script), "mock", "--port", "0", "--target-file", str(target_file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=target_file.parent) as process:
        try:
            yield process, _base_url(process, target_file)
        finally:
            if process.poll() is None:
                process.terminate()


def _base_url(process: subprocess.Popen[bytes], target_file: Path) -> str:
    """Where the mock is, once it answers."""
    for _ in range(600):
        assert process.poll() is None, "the mock ended by itself"
        try:
            url: str = tomllib.loads(target_file.read_text())["base_url"]
            httpx.get(url + CONTROL_PATH).raise_for_status()
        except (OSError, KeyError, tomllib.TOMLDecodeError, httpx.HTTPError):
            time.sleep(0.05)
        else:
            return url
    raise AssertionError("the mock did not answer within 30 s")


def test_a_mock_on_a_socket_gives_tokens_until_it_is_interrupted(tmp_path: Path) -> None:
    with served(tmp_path / "mock.toml") as (process, url):
        answer = httpx.post(url + Endpoint.CREATE_TOKEN.path, json=CREDENTIALS)
        assert answer.status_code == 200
        assert answer.json()["accessToken"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


def test_a_mock_on_a_socket_takes_a_body_in_chunks(tmp_path: Path) -> None:
    body = dumps(CREDENTIALS).encode()
    with served(tmp_path / "mock.toml") as (_, url):
        # An iterator has no length, so the client sends it with Transfer-Encoding: chunked.
        answer = httpx.post(url + Endpoint.CREATE_TOKEN.path, content=iter([body[:10], body[10:]]))
        assert answer.status_code == 200, answer.text
