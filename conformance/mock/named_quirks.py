"""Defects and variants by their names, loaded when one is asked for: there are hundreds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from conformance.mock.quirks import Quirk


def defects_named(names: Iterable[str]) -> list[Quirk]:
    """The defects of these names. Raises ValueError that names the one that there is not, and those that resemble it."""
    names = list(names)
    if not names:
        return []
    from conformance.mock.defects import defect

    return [_found(defect, name) for name in names]


def variants_named(names: Iterable[str]) -> list[Quirk]:
    """The variants of these names. Raises ValueError that names the one that there is not, and those that resemble it."""
    names = list(names)
    if not names:
        return []
    from conformance.mock.variants import variant

    return [_found(variant, name) for name in names]


def _found(find: Callable[[str], Quirk], name: str) -> Quirk:
    try:
        return find(name)
    except KeyError as error:
        raise ValueError(str(error.args[0])) from None


def list_quirks() -> str:
    """Every defect by family, and every variant, with what it does, a line each."""
    from conformance.mock.defects import DEFECTS, FAMILIES
    from conformance.mock.variants import VARIANTS

    width = max(map(len, (*DEFECTS, *VARIANTS)))
    tables: dict[str, Sequence[Quirk]] = {f"defects, {family}": quirks for family, quirks in FAMILIES.items()}
    lines: list[str] = []
    for title, quirks in (tables | {"variants": tuple(VARIANTS.values())}).items():
        lines += [f"{title}:", *(f"  {quirk.name:{width}}  {quirk.statement}" for quirk in quirks), ""]
    return "\n".join(lines).rstrip()
