"""Changes the suite's core in many small ways and looks whether a test fails each time (mutmut).

    python tests/mutants.py [--workers N] [PATTERN ...]

A change that no test notices must be explained in mutants.toml. What was interrupted goes on where it was, as long as
neither code nor tests have changed; a PATTERN such as `conformance.verdict.*` tries those mutants only, and anew.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
WORK: Final = ROOT / "mutants"
"""Where mutmut keeps its copy of the code and what it has found out; mutmut gives the name."""

MUTMUT: Final = Path(sys.executable).with_name("mutmut")

KILLED, SURVIVED, TIMED_OUT, NOT_COVERED, NOT_TRIED = "killed", "survived", "timeout", "no tests", "not checked"
"""What mutmut says of a mutant; anything else is a worker that broke down."""


@dataclass(frozen=True)
class Mutant:
    """One change, by the number that mutmut gives it, and what became of it."""

    name: str
    status: str

    @property
    def file(self) -> str:
        """The file that is changed."""
        return self.name.rpartition(".")[0].replace(".", "/") + ".py"


@dataclass(frozen=True)
class Change:
    """A change by what it does, so that it is the same one when others are added: lines before and after."""

    file: str
    function: str
    before: str
    after: str


def digest() -> str:
    """Stands for all that a result depends on: code, tests, configuration and the versions of the libraries."""
    parts = (sorted((ROOT / name).rglob("*")) for name in ("conformance", "strategies", "tests/suite"))
    whole = sha256()
    for path in (*chain(*parts), ROOT / "pyproject.toml", ROOT / "requirements/dev.txt"):
        if path.is_file() and "__pycache__" not in path.parts:
            whole.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def begin_anew_after_a_change() -> None:
    """Forget the results of other code or tests: mutmut itself sees only that a mutated function has changed."""
    mark, now = WORK / "digest", digest()
    if mark.is_file() and mark.read_text() == now:
        return
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    mark.write_text(now)


def mutmut(*arguments: str) -> str:
    """What mutmut answers to a question about its results."""
    done = subprocess.run([MUTMUT, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def results(patterns: Sequence[str]) -> list[Mutant]:
    """All mutants, or those that match a pattern, with what became of each."""
    rows = (line.strip().rpartition(": ") for line in mutmut("results", "--all", "true").splitlines())
    found = [Mutant(name, status) for name, _, status in rows if name]
    return [one for one in found if not patterns or any(fnmatchcase(one.name, pattern) for pattern in patterns)]


def function_of(name: str) -> str:
    """The function that a mutant changes, as people write it: `judge`, `Evidence.saw`."""
    mangled = name.rpartition(".")[2].partition("__mutmut_")[0]
    return re.sub(r"^x_", "", mangled) if "ǁ" not in mangled else mangled.removeprefix("xǁ").replace("ǁ", ".")


def change_of(mutant: Mutant) -> Change:
    """What the mutant does."""
    lines = mutmut("show", mutant.name).splitlines()
    removed, added = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3))
        for sign in "-+"
    )
    return Change(mutant.file, function_of(mutant.name), removed, added)


def explained() -> dict[Change, str]:
    """The changes that no test need notice, with the reason for each."""
    rows = tomllib.loads((ROOT / "tests/mutants.toml").read_text(encoding="utf-8"))["explained"]
    return {
        Change(row["file"], row["function"], row["before"], after): row["why"] for row in rows for after in row["after"]
    }


def summary(mutants: Iterable[Mutant]) -> str:
    """How many mutants there are of each file, and what became of them."""
    statuses = (KILLED, SURVIVED, TIMED_OUT, NOT_COVERED)
    counts: dict[str, Counter[str]] = {}
    for mutant in mutants:
        for row in (mutant.file, "all"):
            status = mutant.status if mutant.status in statuses else "neither"
            counts.setdefault(row, Counter())[status] += 1
    counts["all"] = counts.pop("all", Counter())
    heads = ("mutants", "killed", "survived", "timed out", "not covered", "neither")
    lines = [f"{'':50}" + "".join(f"{head:>13}" for head in heads)]
    for row, count in counts.items():
        cells = (count.total(), *(count[status] for status in (*statuses, "neither")))
        lines.append(f"{row:50}" + "".join(f"{cell:13}" for cell in cells))
    return "\n".join(lines)


def shown(change: Change) -> str:
    """The change for a terminal."""
    return f"{change.file}, {change.function}\n  - {change.before}\n  + {change.after}"


def verdict(mutants: Sequence[Mutant], *, whole: bool) -> int:
    """Print what is to be done about the mutants that live; 0 where nothing is."""
    alive = {change_of(one): one for one in mutants if one.status not in {KILLED, TIMED_OUT, NOT_TRIED}}
    known = explained()
    for change, mutant in alive.items():
        if change not in known:
            print(f"\n{mutant.status}: {shown(change)}")
    untried = sum(one.status == NOT_TRIED for one in mutants)
    stale = [change for change in known if change not in alive] if whole and not untried else []
    for change in stale:
        print(f"\nexplained in tests/mutants.toml, but killed or gone: {shown(change)}")
    open_ones = len(alive.keys() - known.keys())
    print(f"\n{len(alive) - open_ones} explained, {open_ones} not explained, {len(stale)} stale, {untried} not tried")
    return 1 if open_ones or stale or untried else 0


def main() -> int:
    """Try the mutants, tell what became of them; 1 where one lives that is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, metavar="N", help="how many at once (default: as many as processors)")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="only mutants whose names match one of these")
    given = parser.parse_args()
    begin_anew_after_a_change()
    workers = [] if given.workers is None else ["--max-children", str(given.workers)]
    try:
        done = subprocess.run([MUTMUT, "run", *workers, *given.patterns], cwd=ROOT, check=False)
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from here", file=sys.stderr)
        return 130
    if done.returncode:
        return done.returncode
    mutants = results(given.patterns)
    print(f"\n{summary(mutants)}")
    return verdict(mutants, whole=not given.patterns)


if __name__ == "__main__":
    sys.exit(main())
