"""Draws which package imports which into docs/architecture.md, from the imports themselves.

    python tests/import_picture.py

Floors are those of import-linter's contract in pyproject.toml. An arrow is left out where a longer way of arrows leads to the
same package; to what all stand on (contract and the like) there are none at all.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import grimp

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN: Final = "<!-- picture: written by make docs -->"
END: Final = "<!-- picture: end -->"

STRATEGIES: Final = "strategies"
COMMAND_LINE: Final = "conformance.cli"
"""The one loose module that has a floor; it is drawn as a part of the package beside it."""

Imports = Mapping[str, frozenset[str]]
"""What each package imports of the others."""


def floors(pyproject: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The packages on each floor of import-linter's contract, the highest first."""
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [
        tuple(name for part in layer.replace(":", "|").split("|") if (name := part.strip()) != COMMAND_LINE)
        for layer in layers
    ]


def imports() -> dict[str, frozenset[str]]:
    """What each package of the library imports of the others; loose modules have no say in it."""
    graph = grimp.build_graph("conformance", STRATEGIES, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        if (owner := package_of(module)) is not None:
            others = {package_of(other) for other in graph.find_modules_directly_imported_by(module)}
            found.setdefault(owner, set()).update(other for other in others if other not in (None, owner))
    return {name: frozenset(others) for name, others in found.items()}


def package_of(module: str) -> str | None:
    """The package that a module is drawn in; None for a loose one."""
    if module == COMMAND_LINE:
        return "conformance.commandline"
    top, *parts = module.split(".")
    if top == STRATEGIES:
        return STRATEGIES
    return f"{top}.{parts[0]}" if parts and (ROOT / top / parts[0]).is_dir() else None


def arrows(found: Imports, ground: Collection[str]) -> list[tuple[str, str]]:
    """The arrows to draw: none to the ground, and none where a longer way leads there as well."""
    drawn = {name: others - set(ground) for name, others in found.items()}

    def reached(name: str) -> set[str]:
        return set().union(drawn[name], *map(reached, drawn[name]))  # floors see to it that it ends

    return [
        (name, other)
        for name, others in sorted(drawn.items())
        for other in sorted(others)
        if not any(other in reached(third) for third in others - {other})
    ]


def picture(found: Imports, layers: list[tuple[str, ...]]) -> str:
    """The picture, in Mermaid."""
    return "\n".join(_lines(found, layers))


def _lines(found: Imports, layers: list[tuple[str, ...]]) -> Iterator[str]:
    ground = sorted(found.keys() - {name for layer in layers for name in layer} - {STRATEGIES})
    yield "```mermaid"
    yield "flowchart TB"
    for number, layer in zip(range(len(layers), 0, -1), layers, strict=True):
        yield from _floor(f"floor{number}", f"floor {number}", layer)
    yield from _floor("ground", "what all stand on", ground)
    yield f"  {STRATEGIES}"
    yield from (f"  {_name(name)} --> {_name(other)}" for name, other in arrows(found, ground))
    yield "```"


def _floor(identifier: str, title: str, packages: Collection[str]) -> Iterator[str]:
    yield f'  subgraph {identifier}["{title}"]'
    yield from (f"    {_name(package)}" for package in packages)
    yield "  end"


def _name(package: str) -> str:
    return package.removeprefix("conformance.")


def redrawn(page: str) -> str:
    """The page with the picture as it is now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return f"{before}{BEGIN}\n{picture(imports(), floors(pyproject))}\n{END}{after}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
