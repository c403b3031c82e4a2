"""The digest of the suite's own code: by it a proof is known to be of the suite that certifies, whatever git knows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

_INSTALLED_AS: Final = b"koncili_conformance."
"""Before the names of modules in the wheel (.ci/wheel_layout.py): the code is the same."""

_SUFFIXES: Final = frozenset({".py", ".yaml", ".feature", ".json"})
_ELSEWHERE: Final = frozenset({"__pycache__", "node_modules", "_suite", "public"})
"""Folders that are no code, or lie elsewhere in the wheel."""


@cache
def code_digest() -> str:
    """`sha256:` and 64 hex digits over library, strategies, scenarios and their steps, from a checkout or installed. Raises
    OSError."""
    digest = sha256()
    for name, path in sorted(_files()):
        content = path.read_bytes().replace(_INSTALLED_AS, b"")
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"sha256:{digest.hexdigest()}"


def _files() -> Iterator[tuple[str, Path]]:
    package = Path(__file__).parents[1]
    installed = package / "_suite"
    suite = installed if installed.is_dir() else package.parent
    folders = (package, package.parent / "strategies", suite / "features", suite / "tests" / "certification")
    for folder, name in zip(folders, ("conformance", "strategies", "features", "certification"), strict=True):
        for path in folder.rglob("*"):
            inner = path.relative_to(folder)
            if path.suffix in _SUFFIXES and not _ELSEWHERE & set(inner.parts) and path.is_file():
                yield f"{name}/{inner.as_posix()}", path
