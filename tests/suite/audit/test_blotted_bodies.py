"""A body in which a recorder has blotted something out shows nothing of what was sent; what only looks like that is judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.jsontext import dumps, loads
from conformance.traffic.exchange import Exchange, Recorded
from conformance.traffic.ndjson import line_of
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.recorded_calls import CODE, QUERY, Recording, verdict

Change = Callable[[Any], Any]
ERROR_400 = {"errorMessage": "not this", "errorCode": "400-0", "errorSource": None}


def day(code: str = CODE) -> Recording:
    """An order that is sent, asked about and released."""
    recording = Recording()
    recording.submit(order(code))
    recording.look_up(QUERY.replace(CODE, code), answer=order(code))
    recording.open(creation())
    recording.release(release(code))
    return recording


def in_fields(name: str, text: Any) -> Change:
    """With this text in place of each field of that name."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: text if key == name else change(one) for key, one in value.items()}
        return [change(one) for one in value] if isinstance(value, list) else value

    return change


def changed(recording: Recording, change: Change) -> Recording:
    """The same with every body of a request changed."""

    def of(exchange: Exchange) -> Exchange:
        body: Recorded = exchange.request.body
        if not isinstance(body, bytes) or not body:
            return exchange
        return replace(exchange, request=replace(exchange.request, body=dumps(change(loads(body))).encode()))

    return Recording([of(one) for one in recording.exchanges])


TEXTS = [
    "***",
    "[REDACTED]",
    "<redacted>",
    "<redacted:accountId>",
    "xxxx",
    "\u2022\u2022\u2022\u2022",
    "removido",
    "701-****-859",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "name",
    [
        "accountId",
        "marketplaceCode",
        "channelName",
        "value",
        "type",
        "createdDate",
        "reconciliationId",
        "status",
        "extracts",
    ],
)
def test_a_field_that_the_recorder_blotted_out_is_no_fault(name: str, text: str) -> None:
    recording = changed(day(), in_fields(name, text))
    auditor = recording.audited()
    assert recording.broken() == {}
    assert "undecided" in {verdict(auditor, "ORD-13"), verdict(auditor, "REL-17")}


@pytest.mark.parametrize("whole", ["***", "[REDACTED]", {"redacted": True}, {"***": "***"}])
def test_a_body_that_the_recorder_blotted_out_is_no_fault(whole: Any) -> None:
    recording = changed(day(), lambda _: whole)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "ORD-14") == "undecided"


@pytest.mark.parametrize("code", ["SECRET-1", "MASK-500", "private-label", "xx-1", "--", "#", "sha-1", "removed-4711"])
def test_a_code_that_resembles_what_stands_in_place_of_one_is_judged(code: str) -> None:
    recording = day(code)
    recording.submit(order(code, status="SHIPPED"), status=400, answer=ERROR_400)
    recording.release(release(code), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-02": [5], "ORD-02": [4]}


def test_what_is_blotted_out_in_fields_of_the_integrator_s_own_hides_nothing() -> None:
    recording = Recording()
    recording.submit(order(status="SHIPPED", customer={"name": "***"}), status=400, answer=ERROR_400)
    assert recording.broken() == {"ORD-02": [0]}


@pytest.mark.parametrize("text", ["---", "n/a", "", "   ", "x"])
def test_what_a_client_may_have_sent_itself_is_judged(text: str) -> None:
    recording = Recording()
    recording.submit(order(createdDate=text), status=400, answer=ERROR_400)
    assert recording.broken() == {"ORD-08": [0]}


@pytest.mark.parametrize("name", ["accountId", "value"])
def test_audits_in_parts_find_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"".join(map(line_of, changed(day(), in_fields(name, "***")).exchanges)))
    assert is_alike([path], part_bytes=TINY)
    assert json.loads(path.read_bytes().splitlines()[0])["request"]["method"] == "POST"
