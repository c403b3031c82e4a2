"""openapi-generator, its Python client (`-g python`)."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

from koncili_generated import (
    ApiClient,
    ApiException,
    AuthenticationApi,
    ConcludedOrder,
    Configuration,
    Order,
    OrdersApi,
    Reconciliation,
    ReconciliationsApi,
    Release,
    ReleasesApi,
    TokenRequest,
)

story: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
anonymous = ApiClient(Configuration(host=story["baseUrl"]))
tokens = AuthenticationApi(anonymous).create_token(TokenRequest(credentials=story["credentials"]))
keys = {"gumgaToken": tokens.access_token, "integrator": story["integrator"]}
client = ApiClient(Configuration(host=story["baseUrl"], api_key=keys))
orders = OrdersApi(client)


def submit(order: ConcludedOrder) -> int:
    try:
        return int(orders.submit_order_with_http_info(Order(order)).status_code)
    except ApiException as error:
        return int(error.status)


def read(order: dict[str, Any]) -> Any:
    found = orders.get_order(order["marketplaceCode"], order["channelName"], order["accountId"])
    return json.loads(found.to_json())


assert submit(ConcludedOrder.from_dict(story["order"])) == 200
opened = ReconciliationsApi(client).create_reconciliation(Reconciliation.from_dict(story["reconciliation"]))
ReleasesApi(client).submit_release(Release.from_dict({"reconciliationId": opened.id, **story["release"]}))
assert submit(ConcludedOrder.from_dict(story["odd"])) == 200
naive = ConcludedOrder.from_dict(story["naive"])
naive.created_date = datetime.datetime(2025, 5, 9, 12, 0)  # noqa: DTZ001 - what is sent of it is the question
print(json.dumps({"order": read(story["order"]), "other": read(story["other"]), "naive": submit(naive)}))
