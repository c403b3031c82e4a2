"""The JSON Schemas of the files that people write: they are schemas, and say of a file what this suite says when it reads it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.commandline import schema_command
from conformance.commandline.schemas import NAMES, SCHEMAS, schema_text
from conformance.contract import openapi
from conformance.errors import CannotRun
from conformance.mock import fault_plans, scenario
from conformance.mock.scenario import read_scenario
from conformance.mock.target import mock_target_table, to_toml
from conformance.target.config import Target, load_target
from conformance.verdict import waivers
from conformance.verdict.certificate import json_schema
from conformance.verdict.waivers import load_waivers
from tests.suite.support.documents import ROOT, Document

PAGES: Final = [Document(ROOT / "docs" / f"{name}.md") for name in ("target-file", "gate-in-ci", "mock")]

URN: Final = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[a-z0-9:.-]+")
"""RFC 8141, as far as ours go."""


def schema(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(schema_text(name))
    return parsed


def takes(name: str, table: Any) -> bool:
    """Whether the schema takes what a TOML file holds: editors show dates to it as text."""
    as_json = json.loads(json.dumps(table, default=date.isoformat))
    return bool(jsonschema_rs.validator_for(schema(name), validate_formats=True).is_valid(as_json))


def printed(part: str) -> dict[str, Any]:
    """The table of the documents' TOML block that holds this."""
    (block,) = [block for page in PAGES for block in page.blocks if block.info == "toml" and part in block.text]
    return tomllib.loads(block.text)


def suite_takes(read: Callable[[Path], object], tmp_path: Path, text: str) -> bool:
    """Whether this suite takes a file of that text."""
    path = tmp_path / "given.toml"
    path.write_text(text, encoding="utf-8")
    try:
        read(path)
    except CannotRun:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_schema_of_its_own_name(name: str) -> None:
    jsonschema_rs.meta.validate(schema(name))
    assert URN.fullmatch(schema(name)["$id"])
    assert schema(name)["$id"] == f"urn:koncili-conformance:{name}:1"
    assert CliRunner().invoke(main, ["schema", name]).output == schema_text(name)


def test_the_command_knows_them_all() -> None:
    assert (*SCHEMAS, "certificate") == NAMES
    assert (*NAMES, "openapi", "openapi-without-webhooks") == schema_command.NAMES
    assert schema_text("certificate") == json_schema()


def test_the_command_prints_the_openapi_document_too() -> None:
    printed = [json.loads(CliRunner().invoke(main, ["schema", name]).output) for name in schema_command.NAMES[-2:]]
    assert printed == [openapi.load(), openapi.without_webhooks()]


# -- target files ----------------------------------------------------------------------------------------------------

TARGET: Final = mock_target_table("http://127.0.0.1:8765")

CREDENTIALS: Final = {"email_env": "KONCILI_EMAIL", "password_env": "KONCILI_PASSWORD"}

TARGETS: Final[dict[str, dict[str, Any]]] = {
    "the mock's": {},
    "credentials by variables": {"credentials": CREDENTIALS},
    "an email twice": {"credentials": {**CREDENTIALS, "email": "a@b.example"}},
    "no password": {"credentials": {"email": "a@b.example"}},
    "no account": {"accounts": []},
    "an account by text": {"accounts": [{"id": "many", "channel": "C"}]},
    "an account without channel": {"accounts": [{"id": 1}]},
    "an unknown key": {"base-url": "http://127.0.0.1:1"},
    "an unknown fixture": {"fixtures": {"inactive": {"id": 1, "channel": "C"}}},
    "an unknown environment": {"environment": "staging"},
    "too large a budget": {"error_budget": 451},
    "the largest budget": {"error_budget": 450},
    "an unknown reading": {"readings": {"extract-type": "workflow"}},
    "an unknown value of a reading": {"readings": {"extract-types": "all"}},
    "no integrator": {"integrator": "mine"},
    "minutes to reconcile": {"reconciles_in": "10m"},
    "seconds to reconcile": {"reconciles_in": 1.5},
    "no time to reconcile": {"reconciles_in": "soon"},
    "less than no time to reconcile": {"reconciles_in": -1},
    "an unknown pace": {"pace": "slow"},
    "a foreign order": {"fixtures": {"foreign_order": {"id": 1, "channel": "C", "marketplaceCode": "A"}}},
    "a foreign order without code": {"fixtures": {"foreign_order": {"id": 1, "channel": "C"}}},
    "a rule that can't be shown": {"not_exercised": {"ACC-05": "none is inactive"}},
    "a rule that can't be named": {"not_exercised": {"acc-5": "none is inactive"}},
}


@pytest.mark.parametrize("what", TARGETS)
def test_of_a_target_file_the_schema_says_what_the_suite_says(tmp_path: Path, what: str) -> None:
    table = {**TARGET, **TARGETS[what]}
    if what.startswith("a rule"):
        table["fixtures"] = {name: value for name, value in TARGET["fixtures"].items() if name != "inactive_account"}
    assert takes("target", table) == suite_takes(load_target, tmp_path, to_toml(table))


@pytest.mark.parametrize("key", ["name", "environment", "base_url", "integrator", "credentials", "accounts"])
def test_what_a_target_file_must_have_the_schema_demands(tmp_path: Path, key: str) -> None:
    table = {name: value for name, value in TARGET.items() if name != key}
    assert not takes("target", table)
    assert not suite_takes(load_target, tmp_path, to_toml(table))


def test_the_target_file_of_the_readme_is_one() -> None:
    table = printed('integrator = "')
    assert {"dates", "not_exercised"} <= table.keys()
    assert takes("target", table)
    assert not takes("target", {**table, "dates": {"orders": {"from": "soon", "to": "2026-09-01"}}})
    assert schema("target")["properties"].keys() == {field.alias or name for name, field in Target.model_fields.items()}


def test_a_target_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mock.toml"
    path.write_text(to_toml(TARGET), encoding="utf-8-sig")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert load_target(path).name == "mock"


# -- waivers ---------------------------------------------------------------------------------------------------------

WAIVERS: Final = {
    "kinds": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31\nkinds = ["a"]',
    "whole": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31\nwhole = true\nhinders = ["WFL-04"]',
    "both": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31\nwhole = true\nkinds = ["a"]',
    "kinds and not whole": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31\nwhole = false\nkinds = ["a"]',
    "neither": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31',
    "not whole": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31\nwhole = false',
    "no reason": 'rule = "ORD-04"\nreason = " "\nuntil = 2026-12-31\nwhole = true',
    "no day": 'rule = "ORD-04"\nreason = "ticket"\nwhole = true',
    "no kind": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31\nkinds = []',
    "an unknown key": 'rule = "ORD-04"\nreason = "ticket"\nuntil = 2026-12-31\nwhole = true\nticket = 7',
    "a rule in small letters": 'rule = "ord-04"\nreason = "ticket"\nuntil = 2026-12-31\nwhole = true',
}


@pytest.mark.parametrize("what", WAIVERS)
def test_of_waivers_the_schema_says_what_the_suite_says(tmp_path: Path, what: str) -> None:
    text = f'zone = "America/Sao_Paulo"\n[[waivers]]\n{WAIVERS[what]}\n'

    def read(path: Path) -> object:
        return load_waivers(path, datetime(2026, 11, 1, tzinfo=UTC))

    assert takes("waivers", tomllib.loads(text)) == suite_takes(read, tmp_path, text)


def test_every_key_of_waivers_is_in_the_schema() -> None:
    assert schema("waivers")["properties"]["waivers"]["items"]["properties"].keys() == {*waivers._KEYS}
    assert takes("waivers", printed("[[waivers]]"))
    assert not takes("waivers", {"waiver": []})


# -- scenarios -------------------------------------------------------------------------------------------------------

SCENARIOS: Final = {
    "nothing": "",
    "variants and defects": 'variants = ["chunked"]\ndefects = ["ord-04-not-enforced"]\nlimits = true\nname = "a"',
    "an unknown key": "limit = true",
    "a name alone": 'variants = "chunked"',
    "limits by a word": 'limits = "yes"',
    "a fault": '[[faults]]\nfault = "429"\ncall = "POST /order"\norder = "A"\nafter = 1\nevery = 2\ntimes = 3\nseconds = 0.5',
    "no fault": '[[faults]]\ncall = "POST /order"',
    "an unknown fault": '[[faults]]\nfault = "lots"',
    "an unknown call": '[[faults]]\nfault = "lost"\ncall = "PUT /order"',
    "never": '[[faults]]\nfault = "lost"\ntimes = 0',
    "before the first": '[[faults]]\nfault = "lost"\nafter = -1',
    "half a time": '[[faults]]\nfault = "lost"\ntimes = 1.5',
    "too late": '[[faults]]\nfault = "delay"\nseconds = 86401',
    "a notification": '[[faults]]\nfault = "late-notification"\nnotification = "TEST_NOTIFICATION"',
    "a call of a notification": '[[faults]]\nfault = "late-notification"\ncall = "POST /order"',
    "a notification of a call": '[[faults]]\nfault = "lost"\nnotification = "TEST_NOTIFICATION"',
    "a fault of a table": 'faults = { fault = "lost" }',
}


@pytest.mark.parametrize("what", SCENARIOS)
def test_of_a_scenario_the_schema_says_what_the_suite_says(tmp_path: Path, what: str) -> None:
    text = SCENARIOS[what]
    assert takes("scenario", tomllib.loads(text)) == suite_takes(read_scenario, tmp_path, text)


def test_every_key_of_scenarios_is_in_the_schema() -> None:
    described = schema("scenario")["properties"]
    assert described.keys() == scenario.KEYS.keys()
    assert described["faults"]["items"]["properties"].keys() == fault_plans.KEYS.keys()
    assert takes("scenario", printed("[[faults]]"))
    assert not takes("scenario", {"variants": ["chunkt"]})
