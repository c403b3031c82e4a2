"""Files of known tools that are no recordings: it is said what each is, and what to do instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.errors import CannotRun
from conformance.i18n.messages import speaking
from conformance.i18n.sentences import said
from conformance.traffic import read_all

CALL = {"request": {"method": "GET", "url": "https://koncili.example/my-accounts"}, "response": {"status": 200}}
CHARLES = {**CALL, "status": "COMPLETE", "method": "GET", "protocolVersion": "HTTP/1.1", "host": "h", "times": {}}

FILES: dict[str, bytes] = {
    "Postman": json.dumps({"info": {"name": "Koncili"}, "item": [CALL]}).encode(),
    "Insomnia": json.dumps({"_type": "export", "__export_format": 4, "resources": []}).encode(),
    "Hoverfly": json.dumps({"data": {"pairs": []}, "meta": {"schemaVersion": "v5"}}).encode(),
    "mountebank": json.dumps({"imposters": [{"protocol": "http", "stubs": []}]}).encode(),
    "stub mappings of WireMock": json.dumps({"mappings": [CALL], "meta": {"total": 1}}).encode(),
    "OpenTelemetry": json.dumps({"resourceSpans": [{"scopeSpans": []}]}).encode(),
    "Logbook": b'{"origin": "local", "type": "request", "correlation": "2d66e4bc9a0a7b9a", "method": "GET", "uri": "http://h/"}\n',
    "pino": b'{"level": 30, "time": 1531171074631, "req": {"method": "GET"}, "res": {"statusCode": 200}, "responseTime": 6}\n',
    "Envoy": b'{"http_buffered_trace": {"request": {"headers": []}, "response": {"headers": []}}}',
    "OpenAPI": json.dumps({"openapi": "3.1.0", "info": {}, "paths": {}}).encode(),
    "k6": b'{"metric": "http_reqs", "type": "Metric", "data": {}}\n{"metric": "http_reqs", "type": "Point", "data": {}}\n',
    "Charles": json.dumps([CHARLES, CHARLES]).encode(),
    "packets": b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(16),
    "Burp": b'<?xml version="1.0"?>\n<!DOCTYPE items [\n]>\n<items burpVersion="2024.1" exportTime="x">',
    "XML": b"<messages><message/></messages>",
    "WARC": b"WARC/1.0\r\nWARC-Type: warcinfo\r\n",
    "Fiddler": b"POST https://koncili.example/order HTTP/1.1\r\nHost: koncili.example\r\n\r\n{}",
    "an access log as text": b'10.0.0.1 - - [02/Nov/2026:09:00:00 -0300] "POST /order HTTP/1.1" 200 12\n',
    "a load balancer": b"https 2026-11-02T12:00:00.1Z app/erp/50dc6c495c0c9188 10.0.0.1:1 10.0.0.2:2 0.0 0.0 0.0 200 200\n",
}


@pytest.mark.parametrize("tool", FILES)
def test_a_file_of_a_known_tool_is_named_with_what_to_do_instead(tool: str, tmp_path: Path) -> None:
    (tmp_path / "day").write_bytes(FILES[tool])
    with pytest.raises(CannotRun, match=tool) as error:
        list(read_all([tmp_path / "day"], pytest.fail))
    with speaking("pt-BR"):
        assert said(str(error.value)) != str(error.value)


@pytest.mark.parametrize(
    "content", [b"{}", b"[1]", b"[]", b"\x00\x01", b"no recording at all", b"{", b'[{"times": 1}]']
)
def test_what_nobody_knows_is_told_as_such(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "day").write_bytes(content)
    with pytest.raises(CannotRun, match="no recording of a known form"):
        list(read_all([tmp_path / "day"], pytest.fail))
