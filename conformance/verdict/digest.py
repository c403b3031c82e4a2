"""The digest of a certificate: whether its content is still what the run wrote."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import rfc8785


def digest_of(document: Mapping[str, Any]) -> str:
    """`sha256:` and 64 hex digits over the RFC 8785 canonical JSON of the document without its `digest`.

    The same for every way to write the same JSON down. Raises ValueError where there is no canonical form: a number or a text
    that not every reader takes for the same.
    """
    content = {name: value for name, value in document.items() if name != "digest"}
    try:
        canonical = rfc8785.dumps(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return f"sha256:{sha256(canonical).hexdigest()}"


def digest_of_file(path: Path) -> str:
    """`sha256:` and 64 hex digits over the bytes of a file. Raises OSError."""
    with path.open("rb") as stream:
        return f"sha256:{file_digest(stream, 'sha256').hexdigest()}"
