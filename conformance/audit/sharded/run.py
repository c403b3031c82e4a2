"""An audit in parts, from its recordings to what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.audit.auditor import Auditor
from conformance.audit.secrets import Secrets
from conformance.audit.sharded.crew import Crew
from conformance.audit.sharded.merging import groups_of, known_of, make_whole, secrets_of, together
from conformance.audit.sharded.parts import PART_BYTES, parts_of
from conformance.traffic.files import Source
from conformance.traffic.problems import Problems


def audit_in_parts(
    sources: Sequence[Source],
    crew: Crew,
    problems: Problems,
    *,
    readings: Mapping[str, str] | None = None,
    base_url: str | None = None,
    part_bytes: int = PART_BYTES,
) -> tuple[Auditor, Secrets]:
    """Judge these recordings in parts: the same result as of one process. Raises CannotRun where one can't be opened or is of no
    known form."""
    parts = parts_of(sources, problems, part_bytes=part_bytes)
    routed = crew.route(parts)
    for part, one in zip(parts, routed, strict=True):
        if part.end is None:
            problems.add(part.file, one.problems)
        elif one.problems and not problems.has(part.file):
            problems.add(part.file, crew.told_of(part))  # lines are counted from the beginning of the file
    known = known_of(parts, routed, readings=readings or {}, base_url=base_url)
    of_places, of_clients = crew.judge(groups_of(routed), routed, known)
    make_whole(of_clients.findings.found, known, lambda number, places: crew.fetch(parts[number], places))
    return together(routed, of_places, of_clients, known), secrets_of(routed, known)
