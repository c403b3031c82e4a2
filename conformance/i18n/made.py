"""The templates of the sentences that the code makes in English where nobody reads them: messages of errors, the words
of violations, what is waited for, warnings. `make messages` finds them in the code and leaves them in `locale/templates.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

MADE: Final = Path(__file__).parent / "locale" / "templates.json"


def made_templates() -> tuple[str, ...]:
    """Each of them, with named placeholders."""
    return tuple(json.loads(MADE.read_text(encoding="utf-8")))
