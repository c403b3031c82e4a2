"""How likely is a race seen in one try? Two refreshes by one token at once, at the small server without a lock.

python -m tests.stacks.chance [--tries 100]
"""

from __future__ import annotations

import argparse

from conformance.contract.endpoints import REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.jsontext import dumps
from conformance.target.config import parse_target
from conformance.target.shared.budget import NoLimits
from conformance.target.wire.client import Calling, KonciliClient
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.tokens import tokens_in
from tests.stacks.races import TARGET, serving

WIDTHS = ("0", "1", "5", "30")
"""Milliseconds from looking to writing, beside what the database takes."""


def seen(port: int, tries: int, offset: float) -> int:
    """In how many of so many tries both refreshes get a pair; the second is sent so many seconds later."""
    import tomllib

    target = parse_target(tomllib.loads(TARGET.format(port=port)), "a measurement")
    journal = Journal(Redactor())
    both = 0
    with KonciliClient(target, journal=journal, budget=NoLimits(), readings={"token-lifetime": "two-hours"}) as client:
        for _ in range(tries):
            body = dumps({REFRESH_TOKEN_FIELD: tokens_in(client.create_token())[1]}).encode()
            call = Calling(Endpoint.REFRESH_TOKEN, content=body)
            answers = client.call_at_once([call, call], [0.0, offset])
            both += all(one.exchange is not None and one.exchange.is_accepted for one in answers)
    return both


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=100)
    tries = parser.parse_args().tries
    print("| from looking to writing | at once | 2 ms apart | with a lock |")
    print("|---|---|---|---|")
    for width in WIDTHS:
        with serving("--think", width) as port:
            at_once, shifted = seen(port, tries, 0.0), seen(port, tries, 0.002)
        with serving("--think", width, "--lock") as port:
            locked = seen(port, tries, 0.0)
        print(
            f"| {width} ms and the database | {at_once} of {tries} | {shifted} of {tries} | {locked} of {tries} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
