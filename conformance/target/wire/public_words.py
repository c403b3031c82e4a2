"""What the suite and a target file say themselves: a secret that is part of it can't be blotted out wherever it stands."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from conformance import contract
from conformance.target.config import Target

_REPORTS: Final = (
    "certificate verdict pass fail waived inconclusive not-exercised conformant nonconformant partial required "
    "recommended request response method headers status body reason curl counterexample redacted accesstoken "
    "refreshtoken credentials password email user-agent accept content-type content-length application/json "
    "gumgatoken integrator koncili-conformance true false null http https localhost smoke certification deep mock "
    "sandbox production koncili_token post get delete put "
)


def own_words(target: Target) -> str:
    """The contract, the words of reports, and what the target file says in the open."""
    places = (f"{place.id} {place.channel}" for place in target.accounts)
    return "\n".join(
        [_contract(), _REPORTS, target.base_url, target.name, target.environment, str(target.integrator), *places]
    )


@cache
def _contract() -> str:
    directory = Path(contract.__file__).parent
    return "\n".join((directory / name).read_text(encoding="utf-8") for name in ("rules.yaml", "openapi.yaml"))
