"""openapi-python-client: reads a story from a file, tells it by the generated client, prints what it read."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

from koncili_client import Client
from koncili_client.api.authentication import create_token
from koncili_client.api.orders import get_order, submit_order
from koncili_client.api.reconciliations import create_reconciliation
from koncili_client.api.releases import submit_release
from koncili_client.models import ConcludedOrder, Reconciliation, Release, TokenRequest

story: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
anonymous = Client(base_url=story["baseUrl"])
tokens: Any = create_token.sync(client=anonymous, body=TokenRequest(credentials=story["credentials"]))
client = Client(
    base_url=story["baseUrl"], headers={"gumgaToken": tokens.access_token, "integrator": story["integrator"]}
)


def submit(order: ConcludedOrder) -> int:
    return int(submit_order.sync_detailed(client=client, body=order).status_code)


def read(order: dict[str, Any]) -> Any:
    found: Any = get_order.sync(
        client=client,
        marketplace_code=order["marketplaceCode"],
        channel_name=order["channelName"],
        account_id=order["accountId"],
    )
    return found.to_dict()


assert submit(ConcludedOrder.from_dict(story["order"])) == 200
opened: Any = create_reconciliation.sync(client=client, body=Reconciliation.from_dict(story["reconciliation"]))
release = Release.from_dict({"reconciliationId": opened.id, **story["release"]})
assert submit_release.sync_detailed(client=client, body=release).status_code // 100 == 2

assert submit(ConcludedOrder.from_dict(story["odd"])) == 200
naive = ConcludedOrder.from_dict(story["naive"])
naive.created_date = datetime.datetime(2025, 5, 9, 12, 0)  # noqa: DTZ001 - what is sent of it is the question
print(json.dumps({"order": read(story["order"]), "other": read(story["other"]), "naive": submit(naive)}))
