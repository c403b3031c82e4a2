"""What a certificate tells of the proof of the suite that made it: the figures of its proof.json (conformance/proof)."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from conformance.errors import CannotRun
from conformance.verdict.suite_code import code_digest

PROOF: Final = "proof.json"
_SCHEMA: Final = "koncili-conformance/proof/1"

Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class ShareEntry(_Part):
    """How many of how many."""

    right: Count
    of: Count

    @property
    def is_whole(self) -> bool:
        """Whether there was any, and all were right."""
        return self.right == self.of > 0

    def __str__(self) -> str:
        return f"{self.right}/{self.of}"


class ProofEntry(_Part):
    """The proof of the suite: of which code it is, when it ended, how many defects were caught and how many variants passed."""

    digest: Digest
    """Of the file."""
    code: Digest
    verdict: Literal["whole", "not-whole", "partial"]
    profile: str
    sensitivity: ShareEntry
    specificity: ShareEntry
    finished_at: AwareDatetime

    @property
    def is_whole(self) -> bool:
        """Whether all of both fleets was run, and was as it should be."""
        return self.verdict == "whole" and self.sensitivity.is_whole and self.specificity.is_whole

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """What the content of a proof.json says; a whole one whose variants shared mocks is partial here, since what one does
        could hide what another does. Raises ValueError where it is none, or does not say of which code it is."""
        proof: dict[str, Any] = json.loads(raw)
        if not isinstance(proof, dict) or proof.get("schema") != _SCHEMA:
            raise ValueError(f"its schema is not {_SCHEMA}")
        told = {name: proof.get(name) for name in ("verdict", "profile", "sensitivity", "specificity", "finishedAt")}
        if proof.get("together") is True and told["verdict"] == "whole":
            told["verdict"] = "partial"
        suite = proof.get("suite")
        code = suite.get("code") if isinstance(suite, dict) else None
        entry = {**told, "code": code, "digest": f"sha256:{sha256(raw).hexdigest()}"}
        try:
            return cls.model_validate_json(json.dumps(entry))
        except ValidationError as error:
            raise ValueError(f"{'.'.join(map(str, error.errors()[0]['loc']))} is missing or malformed") from None


def own_proof(given: Path | None, beside: Path | None) -> ProofEntry | None:
    """The proof of this very code in the file that was given, or in the one beside the reports, where that is one.

    Raises CannotRun where the file that was given is none, or is of other code.
    """
    path = given or beside
    try:
        found = ProofEntry.of(path.read_bytes()) if path is not None else None
    except (OSError, ValueError, RecursionError) as error:
        if given is None:
            return None
        raise CannotRun(
            f"{path}: is no proof that can be read: {error}; `koncili-conformance prove` writes one"
        ) from None
    if found is None or found.code == code_digest():
        return found
    if given is None:
        return None
    raise CannotRun(
        f"{path}: is the proof of another state of the suite; run `koncili-conformance prove` with this one"
    )
