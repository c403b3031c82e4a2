"""A finding as a test of its own, for pytest and httpx: it fails as long as the finding is there."""

from __future__ import annotations

import json
from typing import Final

from conformance.replay.recipe import Recipe

_TEMPLATE: Final = '''"""@DOC@

Written by `koncili-conformance replay --as pytest`. Needs pytest and httpx; send it to your endpoint with

    KONCILI_BASE_URL=@BASE@ KONCILI_TOKEN=... pytest @FILE@

Codes are new in every run, and periods are moved by so many days that they should be free. What it creates stays: an order, and
a reconciliation that is not completed blocks its channel. `koncili-conformance replay` clears away.
"""

import json
import os
import random
import time

import httpx
import pytest
from datetime import datetime, timedelta

BASE_URL = os.environ.get("KONCILI_BASE_URL", @BASE_LITERAL@)
TOKEN = os.environ.get("KONCILI_TOKEN", "")
SETTLES = float(os.environ.get("KONCILI_SETTLES", "60"))  # seconds in which a reconciliation is finished

STEPS = json.loads(@STEPS@)
CODES = json.loads(@CODES@)
INSTANTS = json.loads(@INSTANTS@)
IDS = json.loads(@IDS@)  # of ids of reconciliations: which step gave it


def new_values():
    offsets = [random.randrange(10) for _ in range(64)]
    turned = lambda code: "".join(
        str((int(sign) + offsets[place % 64]) % 10) if sign in "0123456789" else sign for place, sign in enumerate(code)
    )
    days = timedelta(days=random.randrange(1, 7000))
    values = {code: turned(code) for code in CODES}
    for text in INSTANTS:
        try:
            moved = datetime.fromisoformat(text) - days
        except ValueError:
            continue  # not an instant: that may be what it is about
        values[text] = moved.isoformat(timespec="milliseconds" if "." in text else "seconds").replace("+00:00", "Z")
    return values


def filled(text, values):
    in_query = lambda value: str(httpx.QueryParams({"": value}))[1:]
    for old, new in values.items():
        for written in (lambda value: json.dumps(value)[1:-1], in_query):
            text = text.replace(written(old), written(new))
    return text


def send(client, step, values, ids):
    body = step["body"] and filled(step["body"], values)
    for old, number in IDS.items():
        if body is not None and number in ids:
            for space in ("", " "):
                body = body.replace(f'"reconciliationId":{space}{old}', f'"reconciliationId":{space}{ids[number]}')
    headers = dict(step["headers"]) | ({"gumgaToken": TOKEN} if step["token"] else {})
    content = None if body is None else body.encode("utf-8", "surrogateescape")
    return client.request(step["method"], BASE_URL + filled(step["path"], values), content=content, headers=headers)


def test_@NAME@():
    values, ids = new_values(), {}
    with httpx.Client(timeout=60) as client:
        for number, step in enumerate(STEPS[:-1]):
            answer = send(client, step, values, ids)
            ends = time.monotonic() + SETTLES
            while step["creates"] and answer.status_code // 100 == 4 and time.monotonic() < ends:
                time.sleep(SETTLES / 10)  # another may be active still
                answer = send(client, step, values, ids)
            if answer.status_code // 100 != step["status"] // 100:
                got = f"{answer.status_code}: {answer.text}"
                pytest.skip(f"can't be tried: step {number + 1}, {step['what']}, was answered {got}")
            if step["creates"]:
                ids[number] = answer.json()["id"]
        if ids and STEPS[-1]["path"].endswith("/reconciliation"):
            time.sleep(SETTLES)  # else it were refused because another is active
        answer = send(client, STEPS[-1], values, ids)
@ASSERTION@
'''


def as_pytest(recipe: Recipe, file: str) -> str:
    """The module, to be called `file`."""
    steps = [
        {
            "what": step.what,
            "method": step.method,
            "path": step.path,
            "headers": dict(step.headers),
            "token": step.has_token,
            "body": step.body,
            "status": step.status,
            "creates": step.creates,
        }
        for step in recipe.steps
    ]
    replaced = {
        "@DOC@": recipe.reason.replace("\\", "/").replace('"""', "'''"),
        "@BASE@": recipe.base_url,
        "@BASE_LITERAL@": repr(recipe.base_url),
        "@FILE@": file,
        "@STEPS@": repr(json.dumps(steps)),
        "@CODES@": repr(json.dumps(list(recipe.codes))),
        "@INSTANTS@": repr(json.dumps(list(recipe.instants))),
        "@IDS@": repr(json.dumps(dict(recipe.ids))),
        "@NAME@": recipe.finding.lower().replace("-", "_"),
        "@ASSERTION@": _assertion(recipe),
    }
    text = _TEMPLATE
    for name, value in replaced.items():
        text = text.replace(name, value)
    return text


def _assertion(recipe: Recipe) -> str:
    told = repr(recipe.reason)
    if not recipe.statuses:
        was = f"(answer.status_code, answer.text) != ({recipe.steps[-1].status}, filled({recipe.body!r}, values))"
        return f"    assert {was}, {told}"
    wanted = (
        f"answer.status_code // 100 == {recipe.statuses[0]}"
        if recipe.statuses.endswith("xx")
        else f"answer.status_code == {recipe.statuses}"
    )
    lines = [f"    assert {wanted}, {told}"]
    if recipe.code:
        lines.append(f'    assert answer.json()["errorCode"] in {list(recipe.code)!r}, {told}')
    return "\n".join(lines)
