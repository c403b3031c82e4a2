"""Makes the same calls with httpx or aiohttp, recorded by VCR.py.

python async_clients.py httpx|aiohttp BASE_URL TO
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import vcr

CALLS = json.loads((Path(__file__).parent / "calls.json").read_text(encoding="utf-8"))


async def make_calls(base: str, send: Any) -> None:
    """A token, two orders, a query, a deletion of what is not there."""
    pair = base64.b64encode(f"{CALLS['email']}:{CALLS['password']}".encode()).decode()
    token = (await send("POST", f"{base}/public/api/auth/token", {}, {"credentials": pair}))["accessToken"]
    headers = {"gumgaToken": token, "integrator": CALLS["integrator"]}
    for order in CALLS["orders"]:
        await send("POST", f"{base}/order", headers, order)
    code, channel, account = (CALLS["orders"][0][name] for name in ("marketplaceCode", "channelName", "accountId"))
    for method, asked in (("GET", code), ("DELETE", "nowhere")):
        query = f"marketplaceCode={asked}&channelName={channel}&accountId={account}"
        await send(method, f"{base}/order?{query}", headers, None)


async def by_httpx(base: str) -> None:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:

        async def send(method: str, url: str, headers: dict[str, str], body: object) -> Any:
            return (await client.request(method, url, headers=headers, json=body)).json()

        await make_calls(base, send)


async def by_aiohttp(base: str) -> None:
    import aiohttp

    async with aiohttp.ClientSession() as client:

        async def send(method: str, url: str, headers: dict[str, str], body: object) -> Any:
            async with client.request(method, url, headers=headers, json=body) as answer:
                return await answer.json()

        await make_calls(base, send)


library, base_url, to = sys.argv[1:]
with vcr.VCR(record_mode="all").use_cassette(to):
    asyncio.run({"httpx": by_httpx, "aiohttp": by_aiohttp}[library](base_url))
