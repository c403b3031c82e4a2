"""The credentials string of POST /public/api/auth/token: base64 of `email:password` (P: authentication flow)."""

from __future__ import annotations

import base64
import binascii


def encode_credentials(email: str, password: str) -> str:
    """The string that the token endpoint takes."""
    return base64.b64encode(f"{email}:{password}".encode()).decode()


def decode_credentials(encoded: str) -> tuple[str, str] | None:
    """The email and password in a credentials string, or None where it is malformed."""
    try:
        email, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (email, password) if colon else None
