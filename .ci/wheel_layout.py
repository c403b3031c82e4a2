"""How the wheel is laid out: one name, `koncili_conformance`, with everything inside it.

The checkout's folders keep the names that its users chose, `conformance` and `strategies`; at the top of somebody else's
environment they would hide that person's own. So the wheel holds copies in which every import, and every module that is named
in a string, begins with `koncili_conformance`. An editable installation gets that name as well, leading to the checkout.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "koncili_conformance"

FOLDERS = {
    "conformance": f"{NAME}/conformance",
    "strategies": f"{NAME}/strategies",
    "features": f"{NAME}/conformance/_suite/features",
    "tests/certification": f"{NAME}/conformance/_suite/tests/certification",
}
"""Where each folder of the checkout is in the wheel. The scenarios travel along, so that an installed suite can certify."""

PUBLIC = "conformance/public"
"""What stands directly under the name."""

_NAMED = re.compile(
    r"""^(?P<statement>\s*(?:from|import)\s+)(?=(?:conformance|strategies)\b)"""
    r"""|(?P<quote>["'])(?=(?:conformance|strategies)(?:\.\w+)+["'])""",
    re.MULTILINE,
)


def inside(source: str) -> str:
    """A module as it is in the wheel."""
    return _NAMED.sub(lambda found: f"{found.group(0)}{NAME}.", source)


def compiled(catalogue: Path) -> bytes:
    """A catalogue of messages as gettext reads it."""
    buffer = BytesIO()
    with catalogue.open("rb") as source:
        write_mo(buffer, read_po(source, locale=catalogue.parts[-3], abort_invalid=True))
    return buffer.getvalue()


class Layout(BuildHookInterface[Any]):
    """Hatchling's hook."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the copies and say where they go; nothing for a source distribution."""
        if self.target_name != "wheel":
            return
        self._copies = Path(mkdtemp(prefix="koncili-wheel-"))
        root = Path(self.root)
        if version == "editable":
            build_data["force_include_editable"] = dict(self._copied(root / PUBLIC, NAME, str))
            return
        for folder, place in FOLDERS.items():
            copied = dict(self._copied(root / folder, place, inside))
            kept = {copy: to for copy, to in copied.items() if not to.startswith(f"{NAME}/{PUBLIC}/")}
            build_data["force_include"].update(kept)
        build_data["force_include"].update(self._copied(root / PUBLIC, NAME, inside))

    def finalize(self, *_: Any) -> None:
        """Remove the copies."""
        if self.target_name == "wheel":
            shutil.rmtree(self._copies)

    def _copied(self, folder: Path, place: str, changed: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or {"__pycache__", "node_modules"} & set(path.parts):
                continue
            target = f"{place}/{path.relative_to(folder).as_posix()}"
            copy = self._copies / target
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".po":
                target, copy = target.removesuffix(".po") + ".mo", copy.with_suffix(".mo")
                copy.write_bytes(compiled(path))
            elif path.suffix == ".py":
                copy.write_text(changed(path.read_text(encoding="utf-8")), encoding="utf-8")
            else:
                shutil.copyfile(path, copy)
            yield str(copy), target
