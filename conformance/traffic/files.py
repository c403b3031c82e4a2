"""Files of recordings, opened: what compresses them and what charset they are in shows at their beginning, not by their names.

A file that ends in the middle, or is damaged, is read up to there.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

from conformance.errors import CannotRun
from conformance.traffic.remote import Remote

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGEST_RESOURCE_BYTES: Final = 64 * 1024 * 1024
"""Of a body that is kept in a file of its own; a larger one is taken as not recorded."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZLIB: Final = frozenset({b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"})
_UTF_16: Final = frozenset({codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE})

DAMAGED: Final = (EOFError, zlib.error, zstd.ZstdError, gzip.BadGzipFile, zipfile.BadZipFile)
"""What reading a damaged or cut file raises."""

_ZIP: Final = b"PK\x03\x04"
_RECORDING: Final = re.compile(r"\.(?:har|ndjson|jsonl)(?:\.gz|\.zst)?$", re.IGNORECASE)
_DIGEST: Final = re.compile(r"[0-9a-f]{40}\b")
_BROKEN_ARCHIVE: Final = (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, NotImplementedError)
"""What opening an archive, or a member of it, raises: damaged, encrypted, compressed in another way, names that are no UTF-8."""

Tell = Callable[[str], None]
"""Takes a sentence about what of a recording can't be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """A recording: a file, or a member of a zip archive."""

    path: Path | Remote
    member: str | None = None
    ahead: timedelta = timedelta()
    """By so much its clock is ahead of that by which its times are taken."""

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording that is being read: its text in UTF-8, and the files that lie beside it."""

    stream: BinaryIO
    resource: Callable[[str], bytes | None]
    """The content of a file beside it by its bare name; None where there is none."""
    is_plain: bool
    """Whether the stream is the file as it lies there, so that it can be read from its middle."""


def sources(path: Path | Remote) -> list[Source]:
    """The recordings that a file holds: itself, or those in a zip archive. Raises CannotRun where it can't be opened."""
    try:
        if path.is_dir():
            raise CannotRun(f"{path}: is a folder; name the recordings in it")
        if isinstance(path, Path) and (path.is_fifo() or path.is_socket()):
            raise CannotRun(f"{path}: is a pipe, and a recording is read more than once; write it into a file first")
        with _file(path) as stream:
            if not zipfile.is_zipfile(stream):
                stream.seek(0)
                if stream.read(len(_ZIP)) == _ZIP:
                    raise CannotRun(f"{path}: is a zip archive of which the end is missing")
                return [Source(path)]
            with zipfile.ZipFile(stream) as archive:
                names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except (OSError, *_BROKEN_ARCHIVE) as error:
        raise CannotRun(f"{path}: can't be read: {_reason(error)}") from None
    names = [name for name in names if not name.startswith("__MACOSX/")]
    return [Source(path, name) for name in [name for name in names if _is_recording(name)] or names]


def _is_recording(name: str) -> bool:
    """Whether a member of an archive is a recording by its name, and no body beside one, which Playwright calls by its digest."""
    return _RECORDING.search(name) is not None and _DIGEST.match(name.rpartition("/")[2]) is None


@contextmanager
def opened(source: Source, tell: Tell) -> Iterator[Opened]:
    """Open a recording; `tell` learns where it is cut or damaged. Raises CannotRun where it can't be opened."""
    with ExitStack() as closing:
        try:
            if source.member is None:
                raw = closing.enter_context(_file(source.path))
                resource = _beside(source.path) if isinstance(source.path, Path) else _nothing
            else:
                archive = closing.enter_context(zipfile.ZipFile(closing.enter_context(_file(source.path))))
                raw = io.BufferedReader(_Checked(closing.enter_context(archive.open(source.member)), source.name, tell))
                resource = _in_archive(archive, source.member)
        except (OSError, *_BROKEN_ARCHIVE) as error:
            raise CannotRun(f"{source.name}: can't be read: {_reason(error)}") from None
        stream = _plain(raw, source.name, tell, closing)
        yield Opened(stream, resource, is_plain=stream is raw and source.member is None)


def _file(path: Path | Remote) -> BinaryIO:
    return path.open("rb") if isinstance(path, Path) else path.open()


def _nothing(_: str) -> bytes | None:
    return None


def _plain(raw: BinaryIO, name: str, tell: Tell, closing: ExitStack) -> BinaryIO:
    """The stream without compression, in UTF-8 and without a byte order mark."""
    head = _peek(raw)
    unpacked: Any = None
    if head.startswith(_GZIP):
        unpacked = closing.enter_context(gzip.GzipFile(fileobj=raw))
    elif head.startswith(_ZSTD):
        unpacked = closing.enter_context(zstd.ZstdFile(raw))
    elif head[:2] in _ZLIB:
        unpacked = _Inflating(raw)
    if unpacked is not None:
        raw = io.BufferedReader(_Checked(unpacked, name, tell), io.DEFAULT_BUFFER_SIZE * 8)
        head = _peek(raw)
    if head.startswith(codecs.BOM_UTF8):
        raw.read(len(codecs.BOM_UTF8))
    elif head[:2] in _UTF_16:
        return io.BufferedReader(_Recoded(raw))
    return raw


def _peek(raw: BinaryIO) -> bytes:
    return raw.peek(4)[:4] if isinstance(raw, io.BufferedReader) else b""


class _Reading(io.RawIOBase):
    """A stream made of pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def piece(self) -> bytes:
        """The next bytes; none at the end."""
        raise NotImplementedError

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self.piece()
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


_PIECE: Final = 1 << 17


class _Checked(_Reading):
    """A stream that ends where it is damaged, and tells so."""

    def __init__(self, stream: Any, name: str, tell: Tell) -> None:
        super().__init__()
        self._stream, self._name, self._tell = stream, name, tell
        self._ended = False

    def piece(self) -> bytes:
        if self._ended:
            return b""
        try:
            return bytes(self._stream.read1(_PIECE) if hasattr(self._stream, "read1") else self._stream.read(_PIECE))
        except DAMAGED as error:
            self._ended = True
            self._tell(f"{self._name}: is cut off or damaged and was read up to there: {_reason(error)}")
            return b""


class _Inflating(_Reading):
    """The content of a bare zlib stream."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream, self._inflating = stream, zlib.decompressobj()

    def piece(self) -> bytes:
        while not self._inflating.eof:
            packed = self._inflating.unconsumed_tail or self._stream.read(_PIECE)
            if not packed:
                raise EOFError("it ends in the middle")
            if found := self._inflating.decompress(packed, _PIECE * 8):
                return found
        return b""


class _Recoded(_Reading):
    """UTF-16 with its byte order mark, as UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream, self._decoder = stream, codecs.getincrementaldecoder("utf-16")("replace")

    def piece(self) -> bytes:
        while True:
            read = self._stream.read(_PIECE)
            found = self._decoder.decode(read, final=not read).encode("utf-8", "surrogatepass")
            if found or not read:
                return found


def _is_bare(name: str) -> bool:
    """Whether it names a file in the same folder and nothing else."""
    return bool(name) and not set(name) & set("/\\:\0") and name not in {".", ".."}


def _beside(path: Path) -> Callable[[str], bytes | None]:
    def resource(name: str) -> bytes | None:
        if not _is_bare(name):
            return None
        beside = path.parent / name
        try:
            if beside.is_symlink() or not beside.is_file() or beside.stat().st_size > LARGEST_RESOURCE_BYTES:
                return None
            return beside.read_bytes()
        except OSError:  # as if it was not there
            return None

    return resource


def _in_archive(archive: zipfile.ZipFile, member: str) -> Callable[[str], bytes | None]:
    folder = member.rpartition("/")[0]

    def resource(name: str) -> bytes | None:
        if not _is_bare(name):
            return None
        try:
            entry = archive.getinfo(f"{folder}/{name}" if folder else name)
            return archive.read(entry) if entry.file_size <= LARGEST_RESOURCE_BYTES else None
        except (OSError, *_BROKEN_ARCHIVE, *DAMAGED):  # as if it was not there
            return None

    return resource


def _reason(error: BaseException) -> str:
    """What an error says, without the path that stands before it anyway."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
