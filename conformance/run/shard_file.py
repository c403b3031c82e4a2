"""What a job leaves that did one shard of a certification, for `koncili-conformance merge`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from conformance.errors import CannotRun
from conformance.planning.shards import Shard
from conformance.report.files import CERTIFICATE, SHARD
from conformance.verdict.certificate import Certificate
from conformance.verdict.certificate_file import load_certificate
from conformance.verdict.digest import digest_of_file
from conformance.verdict.evidence import Evidence
from conformance.verdict.gate import unsound
from conformance.verdict.waivers import Waiver

SCHEMA: Final = "koncili-conformance/shard/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFile:
    """One shard as it was done, with its certificate."""

    directory: Path
    certificate: Certificate
    shard: Shard
    rules: tuple[str, ...]
    """Those of the whole certification that were asked for; none named means all."""
    complete: bool
    waivers: tuple[Waiver, ...]
    evidence: Mapping[str, Any]
    """`Evidence.as_dict`."""
    ended: Mapping[str, Any]
    """`Ending.handed_over`."""


def written(
    shard: Shard, *, rules: Sequence[str], complete: bool, waivers: Sequence[Waiver], evidence: Evidence, ended: object
) -> str:
    """The file of one shard."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "shard": asdict(shard),
            "rules": sorted(rules),
            "complete": complete,
            "waivers": [{**asdict(one), "until": one.until.isoformat()} for one in waivers],
            "evidence": evidence.as_dict(),
            "ended": ended,
        }
    )


def read_shard(directory: Path) -> ShardFile:
    """What a job has left in its directory. Raises CannotRun that names file and remedy."""
    read, path = load_certificate(directory / CERTIFICATE), directory / SHARD
    try:
        content = path.read_bytes()
    except OSError:
        raise CannotRun(f"{path}: cannot be read; give the directories that `certify --shard` left") from None
    certificate = read.certificate
    if unsound(read) or certificate.files.get(SHARD) != digest_of_file(path):
        raise CannotRun(f"{directory}: what is there is not what the run wrote; run that shard again")
    table = json.loads(content)
    if table["schema"] != SCHEMA:
        raise CannotRun(f"{path}: is of another version of the suite; run all shards and the merge with one version")
    return ShardFile(
        directory=directory,
        certificate=certificate,
        shard=Shard(**table["shard"]),
        rules=tuple(table["rules"]),
        complete=table["complete"],
        waivers=tuple(map(_waiver, table["waivers"])),
        evidence=table["evidence"],
        ended=table["ended"],
    )


def _waiver(row: Mapping[str, Any]) -> Waiver:
    return Waiver(
        **{
            **row,
            "until": date.fromisoformat(row["until"]),
            "kinds": tuple(row["kinds"]),
            "hinders": tuple(row["hinders"]),
        }
    )
