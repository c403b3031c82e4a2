"""The table of the trials: a row for each, kept between calls in trials.json, shown in trials.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Row:
    """One trial and what came of it."""

    group: str
    name: str
    tried: str
    """What was done, in a sentence."""
    expected: str
    seen: str
    broken: bool
    seconds: float
    facts: dict[str, object] = field(default_factory=dict)
    """Numbers for whoever reads trials.json."""

    @property
    def line(self) -> str:
        """For the terminal."""
        return f"{'BROKEN' if self.broken else 'held  '} {self.group} {self.name}: {self.seen} ({self.seconds:.0f} s)"


class Table:
    """Rows by group and name."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {(row.group, row.name): row for row in rows}

    @classmethod
    def read(cls, directory: Path) -> Self:
        """What earlier calls have left."""
        path = directory / "trials.json"
        if not path.exists():
            return cls([])
        return cls([Row(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))])

    def add(self, row: Row) -> None:
        """Add a row, in place of an earlier one of that name."""
        self._rows[row.group, row.name] = row

    def write(self, directory: Path) -> None:
        """Write both files."""
        directory.mkdir(parents=True, exist_ok=True)
        rows = list(self._rows.values())
        document = json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False)
        (directory / "trials.json").write_text(document + "\n", encoding="utf-8")
        (directory / "trials.md").write_text("\n".join(_words(rows)) + "\n", encoding="utf-8")


def _words(rows: Sequence[Row]) -> list[str]:
    lines = ["# Trials", "", f"{sum(not row.broken for row in rows)} of {len(rows)} held.", ""]
    for group, members in groupby(sorted(rows, key=lambda row: row.group), key=lambda row: row.group):
        lines += [
            f"## {group}",
            "",
            "| trial | tried | expected | seen | held | seconds |",
            "|---|---|---|---|---|---|",
        ]
        for row in members:
            told = (
                row.name,
                row.tried,
                row.expected,
                row.seen,
                "**no**" if row.broken else "yes",
                f"{row.seconds:.0f}",
            )
            lines.append("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in told) + " |")
        lines.append("")
    return lines
