"""`certify --compare mock` against served mocks: what differs is told by its rule, and nothing where nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.testing.mock import koncili_mock
from tests.suite.support.command_runs import certify


@pytest.mark.parametrize(
    ("variants", "defects", "code", "told"),
    [
        ([], [], 2, "compared with the mock by 2 rules: no differences"),
        (
            ["dates-in-utc"],
            ["ord-07-not-enforced"],
            1,
            "compared with the mock by 2 rules: 2 differences\n  ORD-07 verdict: fail: ORD-07: expected it to be refused",
        ),
    ],
)
def test_a_served_mock_differs_in_what_it_does_otherwise(
    tmp_path: Path, variants: list[str], defects: list[str], code: int, told: str
) -> None:
    with koncili_mock(variants=variants, defects=defects) as mock:
        target = mock.write_target(tmp_path / "target.toml")
        chosen = ("--rule", "ORD-07", "--rule", "QRY-01", "--target", str(target))
        run = certify(tmp_path / "reports", *chosen, "--compare", "mock")
    assert run.code == code, run.output + run.errors
    assert told in run.output
    assert ("QRY-01 form of instant: 9999-99-99T99:99:99" in run.output) is bool(variants)
    assert (tmp_path / "reports" / "compared" / "certificate.json").is_file()
