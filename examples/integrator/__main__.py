"""Runs the integration: `python -m examples.integrator --base-url http://127.0.0.1:8765`.

Credentials come from KONCILI_EMAIL, KONCILI_PASSWORD and KONCILI_INTEGRATOR; left out, they are those of the mock.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import httpx

from examples.integrator.callbacks import Callbacks
from examples.integrator.day import Day
from examples.integrator.koncili import Koncili
from examples.integrator.marketplace import read_export
from examples.integrator.mistakes import MISTAKES, commit


def main() -> None:
    """Do a day's work."""
    parser = argparse.ArgumentParser(prog="python -m examples.integrator")
    parser.add_argument("--base-url", default="http://127.0.0.1:8765")
    parser.add_argument("--orders", type=Path, default=Path(__file__).with_name("orders.csv"))
    parser.add_argument("--mistake", choices=sorted(MISTAKES), help="do this one thing wrong")
    asked = parser.parse_args()
    koncili = Koncili(
        asked.base_url,
        integrator=os.environ.get("KONCILI_INTEGRATOR", "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"),
        email=os.environ.get("KONCILI_EMAIL", "integrator@mock.koncili.example"),
        password=os.environ.get("KONCILI_PASSWORD", "mock-password"),
    )
    with Callbacks() as callbacks:
        # Koncili's support enters the callback of a real integrator; the mock is told.
        httpx.post(f"{asked.base_url}/_mock", json={"callbackUrl": callbacks.url}).raise_for_status()
        day = Day(koncili, callbacks)
        if asked.mistake:
            commit(asked.mistake, day)
        day.work(list(read_export(asked.orders)))


if __name__ == "__main__":
    main()
