"""What a mock remembers of its calls, and tells: which rule a call broke and where, in `/_mock/requests` and in a line."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest
import yaml

from conformance.contract.jsontext import loads
from conformance.contract.openapi import load, without_webhooks
from conformance.mock import request_log
from conformance.mock.app import make_app
from conformance.mock.defects import DEFECTS
from conformance.mock.request_log import FILTERS, MOST_OF_A_BODY, RequestLog, line_of
from strategies.calls import LEFT_OUT
from tests.suite.support.mock_calls import CODE, CREDENTIALS, Caller


@pytest.fixture
def caller() -> Caller:
    return Caller()


def asked(caller: Caller, what: str, query: str = "") -> httpx.Response:
    """What it answers to that."""
    with httpx.Client(transport=httpx.WSGITransport(make_app(caller.koncili)), base_url="http://mock") as http:
        return http.get(f"/_mock/{what}", params=httpx.QueryParams(query))


def told(caller: Caller, what: str = "requests", query: str = "") -> list[dict[str, Any]]:
    """What `GET /_mock/requests` or `/_mock/violations` tells."""
    answer = asked(caller, what, query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = loads(answer.content)[what]
    return found


PLACES: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "a field that is missing": ({"status": "CANCELED"}, "ORD-05", "/cancelDate"),
    "a field of an extract": (
        {"extracts": [{"marketplaceCode": CODE, "type": "SALE", "value": -1}]},
        "ORD-10",
        "/extracts/0/value",
    ),
    "a date": ({"createdDate": "yesterday"}, "ORD-08", "/createdDate"),
}


@pytest.mark.parametrize("what", PLACES)
def test_a_violation_says_rule_and_place(caller: Caller, what: str) -> None:
    changes, rule, pointer = PLACES[what]
    caller.submit(**changes)
    (entry,) = told(caller, "violations")
    assert [(one["rule"], one["pointer"]) for one in entry["violations"]] == [(rule, pointer)]
    assert (entry["status"], entry["order"], entry["method"], entry["path"]) == (400, CODE, "POST", "/order")
    assert loads(entry["body"])["marketplaceCode"] == CODE


def test_headers_queries_and_bodies_are_places_too(caller: Caller) -> None:
    caller.call("POST", "/order", b"{")
    caller.look_up(accountId="many")
    caller.call("GET", "/orders")
    del caller.headers["gumgaToken"]
    caller.submit()
    places = [(one["rule"], one["pointer"]) for entry in told(caller, "violations") for one in entry["violations"]]
    assert places == [("ORD-14", ""), ("ORD-12", "query accountId"), ("ERR-04", ""), ("AUTH-03", "header gumgaToken")]


def test_every_breach_is_told_though_one_is_answered(caller: Caller) -> None:
    caller.submit(status="CANCELED", createdDate="yesterday")
    (entry,) = told(caller)
    assert {one["rule"] for one in entry["violations"]} == {"ORD-05", "ORD-08"}


def test_to_find_out_is_no_violation(caller: Caller) -> None:
    caller.look_up()
    caller.look_up("DELETE")
    caller.koncili.control({"advanceSeconds": 10_000})
    caller.submit()
    assert [[one["rule"] for one in entry["refusedFor"]] for entry in told(caller)] == [
        ["QRY-02"],
        ["DEL-02"],
        ["AUTH-05"],
    ]
    assert told(caller, "violations") == []


def test_what_a_defect_overlooks_is_not_told() -> None:
    caller = Caller()
    caller.koncili.switch([DEFECTS["ord-05-not-enforced"]])
    caller.submit(status="CANCELED")
    assert told(caller, "violations") == []


def test_no_credentials_are_kept(caller: Caller) -> None:
    caller.token()
    caller.refresh("a-refresh-token")
    text = caller.call("GET", "/_mock/requests").text
    assert CREDENTIALS["credentials"] not in text
    assert "a-refresh-token" not in text
    assert caller.headers["gumgaToken"] not in text


def test_calls_are_chosen(caller: Caller) -> None:
    caller.submit()
    caller.submit(status="CANCELED")
    caller.look_up()
    caller.call("GET", "/orders")
    numbers = {
        "method=GET": [3, 4],
        "path=/order": [1, 2, 3],
        "status=400": [2],
        "rule=ORD-05": [2],
        f"order={CODE}": [1, 2, 3],
        "since=2": [3, 4],
        "limit=1": [4],
        "limit=0": [],
        "method=GET&status=404": [4],
        "fault=502": [],
    }
    for query, expected in numbers.items():
        assert [entry["number"] for entry in told(caller, query=query)] == expected, query


@pytest.mark.parametrize("query", ["stat=400", "since=x", "limit=-1", "limit=9999999999"])
def test_what_can_t_be_chosen_by_is_told(caller: Caller, query: str) -> None:
    answer = asked(caller, "requests", query)
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["errorMessage"]
    assert answer.json()["errorMessage"].startswith("/_mock/requests: ")
    assert set(FILTERS) >= {"method", "path", "status", "rule"}


def test_the_control_interface_is_no_call(caller: Caller) -> None:
    for path in (
        "/_mock",
        "/_mock/",
        "/_mock/requests",
        "/_mock/snapshot",
        "/_mock/nothing",
        "/openapi.json",
        "/openapi.yaml",
        "/openapi-without-webhooks.json",
    ):
        caller.call("GET", path)
    caller.call("POST", "/_mock", {"advanceSeconds": 1})
    assert told(caller) == []
    assert caller.koncili.state()["counts"] == {"requests": 0, "clientErrors": 0, "429": 0, "423": 0, "perEndpoint": {}}


def test_what_there_is_is_told_where_something_else_is_asked_for(caller: Caller) -> None:
    answer = caller.call("GET", "/_mock/request")
    assert (answer.status_code, "/_mock/requests" in answer.json()["errorMessage"]) == (404, True)
    assert caller.call("DELETE", "/_mock/requests").status_code == 405


def test_only_the_newest_are_kept_and_all_are_counted(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "MOST_KEPT", 3)
    caller.koncili.log = RequestLog()
    caller.submit(status="CANCELED")
    for _ in range(4):
        caller.submit(note="x" * 2 * MOST_OF_A_BODY)
    answer = loads(caller.call("GET", "/_mock/requests").content)
    assert [entry["number"] for entry in answer["requests"]] == [3, 4, 5]
    assert {len(entry["body"]) for entry in answer["requests"]} == {MOST_OF_A_BODY}
    assert answer["inAll"] == 5
    assert loads(caller.call("GET", "/_mock/violations").content)["inAll"] == 1


def test_a_line_has_it_all(caller: Caller) -> None:
    lines: list[str] = []
    caller.koncili.log.tells.append(lambda entry: lines.append(line_of(entry)))
    caller.submit(status="CANCELED", approvedDate=LEFT_OUT)
    caller.koncili.control({"faults": [{"fault": "502"}]})
    caller.submit()
    assert lines[0].startswith("1 POST /order 400 ")
    assert lines[0].endswith(" ms  ORD-05 /cancelDate: cancelDate is mandatory for CANCELED")
    assert lines[1].startswith("2 POST /order 502 ")
    assert lines[1].endswith("  [502]")


# -- from another site -----------------------------------------------------------------------------------------------

ORIGINS: Final = {
    "http://mock": 200,  # the page's own
    "http://mock:80": 403,
    "https://evil.example": 403,
    "null": 403,
    "http://[": 403,
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_other_site_commands_it(caller: Caller, origin: str) -> None:
    caller.headers["origin"] = origin
    assert caller.call("POST", "/_mock", {"advanceSeconds": 1}).status_code == ORIGINS[origin]
    form = caller.call("POST", "/_mock/", b"reset=true")
    assert form.status_code == {200: 303}.get(ORIGINS[origin], ORIGINS[origin])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost:8765", 200),
        ("[::1]:8765", 200),
        ("mock.test", 200),
        ("a.evil.example:8765", 403),
    ],
)
def test_a_name_of_the_dns_that_leads_here_commands_it_not(caller: Caller, host: str, status: int) -> None:
    caller.headers |= {"origin": f"http://{host}", "host": host}
    assert caller.call("POST", "/_mock", {"advanceSeconds": 1}).status_code == status


# -- the OpenAPI document --------------------------------------------------------------------------------------------


def test_the_document_is_served(caller: Caller) -> None:
    as_json, as_yaml = (caller.call("GET", f"/openapi.{ending}") for ending in ("json", "yaml"))
    assert as_json.headers["content-type"] == "application/json"
    assert as_json.json() == load()
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(as_yaml.content) == load()
    assert caller.call("GET", "/openapi-without-webhooks.json").json() == without_webhooks()
    assert caller.call("POST", "/openapi.json", {}).status_code == 404
