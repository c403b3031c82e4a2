"""A hub's calls without end: orders of several sellers, looked up, reconciled, released, at documented rates, without a mistake.

Made call by call, so that a recording of any size can be written in little memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

import msgspec

from conformance.traffic.exchange import Exchange, Headers, Origin, Request, Response
from conformance.traffic.ndjson import line_of

MEGABYTE = 1_000_000
HOST = "https://api.koncili.example"
INTEGRATOR = "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"
START = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(milliseconds=350)
"""Every other call is a query at most: 86 a minute, of 90 that are documented."""
TOKEN_LIFE = timedelta(minutes=50)
ORDERS_A_BATCH = 20

_JSON = msgspec.json.Encoder()
_ANSWERED: Headers = (("content-type", "application/json; charset=utf-8"), ("date", "Mon, 02 Nov 2026 12:00:00 GMT"))
_TAKEN = b'{"message": "Order received"}'


class Hub:
    """Calls for one seller after the other; each keeps what its next reconciliation releases."""

    def __init__(self, sellers: int) -> None:
        """`sellers`: how many accounts there are, of two channels each."""
        self.random = Random(0)  # noqa: S311 - no secret
        self.places = [(19055 + number // 2, f"CHANNEL_{number % 2}") for number in range(sellers * 2)]
        self.waiting: dict[tuple[int, str], list[str]] = {place: [] for place in self.places}
        self.periods = dict.fromkeys(self.places, 0)
        self.now, self.token, self.got, self.number, self.batches = START, "", START - TOKEN_LIFE, 0, 236

    def calls(self) -> Iterator[Exchange]:
        """The calls, in the sequence of sending."""
        while True:
            for place in self.places:
                code = f"701-{self.number:08d}-{self.random.randrange(10**7):07d}"
                self.number += 1
                yield from self._order(place, code)
                self.waiting[place].append(code)
                if len(self.waiting[place]) == ORDERS_A_BATCH:
                    yield from self._batch(place, self.waiting[place])
                    self.waiting[place] = []

    def _order(self, place: tuple[int, str], code: str) -> Iterator[Exchange]:
        body = _order_of(place, code)
        yield from self._call("POST", "/order", body, _TAKEN)
        yield from self._call(
            "GET", f"/order?marketplaceCode={code}&channelName={place[1]}&accountId={place[0]}", b"", body
        )

    def _batch(self, place: tuple[int, str], codes: list[str]) -> Iterator[Exchange]:
        self.batches += 1
        init = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=self.periods[place])
        self.periods[place] += 1
        opened = {
            "channelName": place[1], "accountId": place[0], "periodInitDate": init.isoformat(),
            "periodEndDate": (init + timedelta(minutes=59)).isoformat(), "releasesQtd": 3 * len(codes), "totalNetValue": 151.24,
        }  # fmt: skip
        answer = _JSON.encode({"id": self.batches})
        yield from self._call("POST", "/reconciliation", _JSON.encode(opened), answer, status=201)
        for code in codes:
            body = _release_of(place, code, self.batches, init + timedelta(minutes=30))
            yield from self._call("POST", "/reconciliation/release", body, _TAKEN)
        told = {"accountId": place[0], "reconciliationId": self.batches, "situation": "CONCILIED",
                "resolvedEndDate": (init + timedelta(minutes=59)).isoformat()}  # fmt: skip
        notice = {"notificationType": "RECONCILIATION_COMPLETED", "timestamp": self.now.isoformat(), "payload": told}
        sent = Request(
            "POST", "https://hub.example/koncili", (("content-type", "application/json"),), _JSON.encode(notice)
        )
        yield self._exchange(sent, Response(200, _ANSWERED, b'{"status": "success"}'))

    def _call(self, method: str, path: str, body: bytes, answer: bytes, *, status: int = 200) -> Iterator[Exchange]:
        if self.now - self.got >= TOKEN_LIFE:
            self.got, self.token = self.now, f"eyJ{self.random.getrandbits(900):0240x}"
            given = {
                "accessToken": self.token,
                "refreshToken": f"r{self.random.getrandbits(120):030x}",
                "expiresIn": 7200,
            }
            credentials = Request(
                "POST", f"{HOST}/public/api/auth/token", (("content-type", "application/json"),),
                b'{"credentials": "bWVAZXhhbXBsZS5jb206cGFzc3dvcmQtNDcxMQ=="}',
            )  # fmt: skip
            yield self._exchange(credentials, Response(200, _ANSWERED, _JSON.encode(given)))
        headers = (
            ("host", "api.koncili.example"), ("user-agent", "integrator/1.0"), ("accept", "*/*"),
            ("content-type", "application/json"), ("content-length", str(len(body))), ("gumgatoken", self.token),
            ("integrator", INTEGRATOR),
        )  # fmt: skip
        yield self._exchange(Request(method, HOST + path, headers, body), Response(status, _ANSWERED, answer))

    def _exchange(self, request: Request, response: Response) -> Exchange:
        self.now += STEP
        took = timedelta(milliseconds=self.random.randrange(20, 200))
        return Exchange(Origin("", 0), self.now, took, request, response)


def _order_of(place: tuple[int, str], code: str) -> bytes:
    parts = (("SALE", 203.63), ("COMISSION", -24.44), ("SHIP", -27.95))
    dates = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate")
    order = {
        "marketplaceCode": code, "channelName": place[1], "accountId": place[0], "status": "CONCLUDED",
        **{name: f"2026-11-0{day}T12:00:00-03:00" for day, name in enumerate(dates, 1)}, "cancelDate": None,
        "totalGrossValue": 203.63, "buyer": {"name": "São João del-Rei", "phone": "+55 11 5550-0000", "zip": "01310-100"},
        "items": [{"sku": f"SKU-{code[-5:]}", "title": "Camiseta básica de algodão, azul, tamanho M", "quantity": 1}],
        "extracts": [{"marketplaceCode": code, "type": kind, "value": value, "expectedDate": None} for kind, value in parts],
    }  # fmt: skip
    return _JSON.encode(order)


def _release_of(place: tuple[int, str], code: str, batch: int, released: datetime) -> bytes:
    parts = (("SALE", 203.63), ("COMISSION", -24.44), ("SHIP", -27.95))
    release = {
        "reconciliationId": batch, "channelName": place[1], "accountId": place[0], "marketplaceCode": code,
        "status": "CONCLUDED", "createdDate": "2026-11-01T12:00:00-03:00", "releasedDate": released.isoformat(),
        "releaseType": "IN_CASH", "installment": 1, "installmentQuantity": 1,
        "releases": [{"marketplaceCode": code, "type": kind, "value": value} for kind, value in parts],
    }  # fmt: skip
    return _JSON.encode(release)


def write(path: Path, megabytes: float, *, sellers: int = 20) -> int:
    """A recording of that size, in lines of JSON; how many exchanges it holds."""
    number = 0
    with path.open("wb") as stream:
        calls = Hub(sellers).calls()
        while stream.tell() < megabytes * MEGABYTE:
            for exchange in islice(calls, 200):
                stream.write(line_of(exchange))
                number += 1
    return number
