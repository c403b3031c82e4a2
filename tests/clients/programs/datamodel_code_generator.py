"""datamodel-code-generator makes models, no calls: these go by httpx."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from koncili_models import ConcludedOrder, OpenedReconciliation, Reconciliation, Release, StoredOrder, TokenPair
from pydantic import BaseModel, ValidationError

story: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
client = httpx.Client(base_url=story["baseUrl"])
asked = client.post("/public/api/auth/token", json={"credentials": story["credentials"]})
tokens = TokenPair.model_validate_json(asked.content)
client.headers.update({"gumgaToken": tokens.accessToken, "integrator": story["integrator"]})


def post(path: str, body: BaseModel) -> httpx.Response:
    text = body.model_dump_json(exclude_unset=True)
    return client.post(path, content=text, headers={"Content-Type": "application/json"})


def read(order: dict[str, Any]) -> Any:
    named = {name: str(order[name]) for name in ("marketplaceCode", "channelName", "accountId")}
    found = StoredOrder.model_validate_json(client.get("/order", params=named).content)
    return json.loads(found.model_dump_json(exclude_unset=True))


def naive() -> int | str:
    try:
        order = ConcludedOrder.model_validate(
            {**story["naive"], "createdDate": datetime.datetime(2025, 5, 9, 12, 0)}  # noqa: DTZ001 - the question
        )
    except ValidationError:
        return "refused by the client"
    return post("/order", order).status_code


assert post("/order", ConcludedOrder.model_validate(story["order"])).status_code == 200
opened = post("/reconciliation", Reconciliation.model_validate(story["reconciliation"]))
number = OpenedReconciliation.model_validate_json(opened.content).id.root
assert post(
    "/reconciliation/release", Release.model_validate({"reconciliationId": number, **story["release"]})
).is_success
assert post("/order", ConcludedOrder.model_validate(story["odd"])).status_code == 200
print(json.dumps({"order": read(story["order"]), "other": read(story["other"]), "naive": naive()}))
