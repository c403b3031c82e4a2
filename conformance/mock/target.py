"""How a target file describes the mock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.contract.readings import resolve
from conformance.mock.world import (
    DISABLED,
    EMAIL,
    ENABLED,
    FOREIGN_CODE,
    INACTIVE,
    INTEGRATOR,
    OTHER_CHANNEL,
    PASSWORD,
    Account,
)
from conformance.toml_values import toml


def mock_target_table(base_url: str, readings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The mock's target file as a table. It states every reading: there is nothing to probe."""
    home = ENABLED[0]
    return {
        "name": "mock",
        "environment": "mock",
        "base_url": base_url,
        "integrator": INTEGRATOR,
        "pace": "unlimited",
        "credentials": {"email": EMAIL, "password": PASSWORD},
        "accounts": [_place(account) for account in ENABLED],
        "fixtures": {
            "inactive_account": _place(INACTIVE),
            "disabled_account": _place(DISABLED),
            "unauthorised_channel": {"id": home.id, "channel": OTHER_CHANNEL},
            "foreign_order": {**_place(home), "marketplaceCode": FOREIGN_CODE},
        },
        "readings": dict(resolve(readings or {})),
    }


def _place(account: Account) -> dict[str, Any]:
    return {"id": account.id, "channel": account.channel}


def to_toml(table: Mapping[str, Any]) -> str:
    """The table as TOML: strings, integers, tables and arrays of tables, which is all that a target file holds."""
    lines = [f"{name} = {toml(value)}" for name, value in table.items() if not isinstance(value, dict | list)]
    for name, value in table.items():
        if isinstance(value, list):
            for row in value:
                lines += ["", f"[[{name}]]", *(f"{key} = {toml(part)}" for key, part in row.items())]
        elif isinstance(value, dict) and value:
            lines += ["", f"[{name}]", *(f"{key} = {toml(part)}" for key, part in value.items())]
    return "\n".join(lines) + "\n"
