"""A target that refuses what is old is certified with dates that the target file names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.instants import parse_instant
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS, Breach
from conformance.mock import world
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Variant, Wire
from conformance.mock.wire import listening
from conformance.mock.world import Body, MockWorld
from tests.suite.support.command_runs import certify

OLDEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2026, 10, 1, tzinfo=UTC)


def _is_out_of_bounds(text: object) -> bool:
    instant = parse_instant(text) if isinstance(text, str) else None
    return instant is not None and not OLDEST <= instant <= LATEST


def _objects(_: Request, body: Body, known: MockWorld) -> Breach | None:  # noqa: ARG001
    """To all that has happened, or a period that lies, before this year or later than now."""
    happened = [name for name in (*DATE_FIELDS, "periodInitDate", "periodEndDate") if name != "estimatedDeliveryDate"]
    found: Any = next((name for name in happened if _is_out_of_bounds(body.get(name))), None)
    return Breach("ORD-13", found, f"{found} is too old or in the future") if found else None


RECENT: Final = Variant(name="recent-only", statement="Refuses what is old.", objects=_objects)

TARGET: Final = """
name = "recent"
environment = "mock"
base_url = "{url}"
integrator = "{integrator}"
pace = "unlimited"
[credentials]
email = "{email}"
password = "{password}"
[[accounts]]
id = {account}
channel = "{channel}"
{dates}
"""

DATES: Final = """
[dates]
orders = { from = 2026-02-01, to = 2026-09-01 }
periods = { from = 2026-02-01, to = 2026-09-01 }
"""


@pytest.fixture
def url() -> Iterator[str]:
    with listening(Koncili(quirks=[RECENT]), Wire()) as url:
        yield url


def run(tmp_path: Path, url: str, dates: str) -> Any:
    account = world.ENABLED[0]
    file = tmp_path / "recent.toml"
    text = TARGET.format(
        url=url, integrator=world.INTEGRATOR, email=world.EMAIL, password=world.PASSWORD,
        account=account.id, channel=account.channel, dates=dates,
    )  # fmt: skip
    file.write_text(text, encoding="utf-8")
    rules = [part for rule in ("ORD-01", "ORD-06", "REC-01", "REL-01", "WFL-01") for part in ("--rule", rule)]
    return certify(tmp_path, "--target", str(file), "--profile", "smoke", *rules)


def test_with_dates_in_the_target_file_all_that_is_sent_is_recent(tmp_path: Path, url: str) -> None:
    found = run(tmp_path, url, DATES)
    assert found.verdicts("pass") == {"ORD-01", "ORD-06", "REC-01", "REL-01", "WFL-01"}, found.output


def test_without_them_it_is_refused(tmp_path: Path, url: str) -> None:
    assert "ORD-01" in run(tmp_path, url, "").verdicts("fail")
