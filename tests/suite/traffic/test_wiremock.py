"""A journal of WireMock as it really is: the last call first, bodies twice."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.traffic import read_all
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Response


def event(path: str, body: bytes = b"", answer: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    told = {"body": body.decode("utf-8", "replace"), "bodyAsBase64": base64.b64encode(body).decode()}
    request = {
        "url": path,
        "absoluteUrl": f"https://koncili.example{path}",
        "method": "POST",
        "headers": {"Host": "koncili.example", "gumgaToken": "eyJ.x.y", "Accept": ["a", "b"]},
        "loggedDate": 1_793_610_000_123,
        **told,
        **changes,
    }
    response = {"status": 200, "headers": {"Content-Type": "application/json"}, **told, **(answer or {})}
    return {"id": "x", "request": request, "response": response, "wasMatched": True, "timing": {"totalTime": 7}}


def read(folder: Path, *events: object) -> list[Exchange]:
    (folder / "journal").write_text(json.dumps({"requests": events, "meta": {"total": len(events)}}))
    return list(read_all([folder / "journal"], pytest.fail))


def test_calls_of_one_millisecond_have_the_sequence_in_which_they_came(tmp_path: Path) -> None:
    found = read(tmp_path, event("/reconciliation/release"), event("/reconciliation"), event("/order"))
    assert [one.request.url.rpartition("/")[2] for one in found] == ["order", "reconciliation", "release"]
    assert [one.origin.entry for one in found] == [2, 1, 0]
    assert found[0].started == datetime.fromtimestamp(1_793_610_000.123, UTC)
    assert found[0].took == timedelta(milliseconds=7)


def test_bodies_are_taken_byte_by_byte_where_they_are_there(tmp_path: Path) -> None:
    (found,) = read(tmp_path, event("/order", "ã".encode("latin-1")))
    assert found.request.body == b"\xe3"
    (found,) = read(tmp_path, event("/order", b"{}", bodyAsBase64=None))
    assert found.request.body == b"{}"
    (found,) = read(tmp_path, event("/order"))
    assert found.request.body is NOT_RECORDED
    (found,) = read(tmp_path, event("/order", method="GET"))
    assert found.request.body == b""


def test_a_fault_that_wiremock_makes_is_no_answer(tmp_path: Path) -> None:
    (found,) = read(tmp_path, event("/order", answer={"fault": "CONNECTION_RESET_BY_PEER"}))
    assert found.response is None
    (found,) = read(tmp_path, event("/order", answer={"status": 204}))
    assert found.response == Response(204, (("content-type", "application/json"),), b"")


def test_what_is_not_there_is_not_recorded(tmp_path: Path) -> None:
    (found,) = read(tmp_path, {"request": {"method": "get", "url": "/my-accounts", "loggedDate": "today"}})
    assert (found.started, found.took, found.response, found.request.headers) == (NOT_RECORDED,) * 4
    assert (found.request.method, found.request.url) == ("GET", "/my-accounts")
