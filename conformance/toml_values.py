"""Values as TOML has them."""

from __future__ import annotations

import json
from typing import Any


def toml(value: Any) -> str:
    """A string, an integer or a table of such, in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + " }"
    # A JSON string or integer is one of TOML too, but for pairs of surrogates and a bare DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
