"""Makes the same calls with requests, recorded by a Python tool.

python python_clients.py vcr|vcr-json|betamax|proxied BASE_URL TO [PROXY]
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from contextlib import suppress
from pathlib import Path

import requests

CALLS = json.loads((Path(__file__).parent / "calls.json").read_text(encoding="utf-8"))


def make_calls(base: str, session: requests.Session) -> None:
    """A token, two orders (the second as text/plain, as some clients send it), a query, one to nobody."""
    pair = base64.b64encode(f"{CALLS['email']}:{CALLS['password']}".encode()).decode()
    answer = session.post(f"{base}/public/api/auth/token", json={"credentials": pair})
    headers = {"gumgaToken": answer.json()["accessToken"], "integrator": CALLS["integrator"]}
    for order, kind in zip(CALLS["orders"], ("application/json", "text/plain"), strict=True):
        body = json.dumps({**order, "city": "São João del-Rei"}, ensure_ascii=False).encode()
        session.post(f"{base}/order", data=body, headers={**headers, "content-type": kind})
    order = CALLS["orders"][0]
    query = {name: order[name] for name in ("marketplaceCode", "channelName", "accountId")}
    session.get(f"{base}/order", params=query, headers=headers)
    session.delete(f"{base}/order", params={**query, "marketplaceCode": "nowhere"}, headers=headers)
    if session.proxies or "8769" in base:  # bytes that no text holds: not UTF-8, after a byte order mark, compressed
        text = json.dumps({**order, "city": "São João del-Rei"}, ensure_ascii=False)
        as_json = {**headers, "content-type": "application/json"}
        session.post(f"{base}/order", data=text.encode("latin-1"), headers=as_json)
        session.post(f"{base}/order", data=text.encode("utf-8-sig"), headers=as_json)
        packed = gzip.compress(text.encode())
        session.post(f"{base}/order", data=packed, headers={**as_json, "content-encoding": "gzip"})
    with suppress(requests.ConnectionError):
        session.get("http://127.0.0.1:9/order", headers=headers)


def main(tool: str, base: str, to: str, proxy: str = "") -> None:
    """Record them."""
    session = requests.Session()
    session.trust_env = False
    if tool.startswith("vcr"):
        import vcr

        kind = "json" if tool == "vcr-json" else "yaml"
        with vcr.VCR(serializer=kind, record_mode="all").use_cassette(to):
            make_calls(base, session)
    elif tool == "betamax":
        from betamax import Betamax

        path = Path(to)
        with Betamax(session, cassette_library_dir=str(path.parent)).use_cassette(path.stem, record="all"):
            make_calls(base, session)
    else:
        session.proxies = {"http": proxy}
        make_calls(base, session)


main(*sys.argv[1:])
