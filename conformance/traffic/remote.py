"""Recordings that lie elsewhere than in files of this machine: by a URL that fsspec opens, such as s3://bucket/day.ndjson.zst."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast
from urllib.parse import urlsplit

from conformance.errors import CannotRun

MISSING: Final = "needs fsspec: pip install 'koncili-conformance[dask]'"


@dataclass(frozen=True, slots=True)
class Remote:
    """What a URL names."""

    url: str

    def __str__(self) -> str:
        """The URL without credentials."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def name(self) -> str:
        """Its last part."""
        return self.url.rstrip("/").rpartition("/")[2]

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        files, path = _file_system(self.url)
        return bool(files.isdir(path))

    def resolve(self) -> Remote:
        """Itself: a URL has no other name."""
        return self

    def open(self) -> BinaryIO:
        """Open it to read. Raises OSError."""
        files, path = _file_system(self.url)
        return io.BufferedReader(cast(io.RawIOBase, files.open(path, "rb")))


def matching(url: str) -> list[Remote]:
    """What a URL names, with `*` for any part of a name. Raises CannotRun where nothing does."""
    if not set(url) & set("*?["):
        return [Remote(url)]
    files, path = _file_system(url)
    try:
        found = sorted(files.unstrip_protocol(name) for name in files.glob(path))
    except OSError as error:
        raise CannotRun(f"{Remote(url)}: can't be listed: {error}") from None
    if not found:
        raise CannotRun(f"{Remote(url)}: names no recording")
    return [Remote(one) for one in found]


def _file_system(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise CannotRun(f"{Remote(url)}: {MISSING}") from None
    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:  # no such protocol, or what it needs is not installed
        raise CannotRun(f"{Remote(url)}: can't be opened: {error}") from None
    return files, path
