"""Where notifications may be sent: what a callback URL must be, for the mock that posts there and for the target file."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from conformance.i18n.messages import mark


def callback_fault(url: str) -> str:
    """What is wrong with a callback URL, as the end of a sentence that begins with its name; empty where nothing is.

    What is wrong is told without the URL: there may be a password in it.
    """
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname, parts.scheme
    except ValueError:
        return "is no URL; give one such as http://127.0.0.1:9100/notifications"
    shown = f", not {scheme}" if scheme.isascii() and scheme.isalnum() else ""
    faults = {
        mark(f"must be an http or https URL{shown}: notifications are posted there"): scheme not in {"http", "https"},
        mark("must name a host, as http://127.0.0.1:9100/notifications does"): not host,
        mark("must hold neither blanks nor control characters"): not url.isprintable() or " " in url,
        mark("must hold no user name or password: no document says that Koncili sends any"): "@" in parts.netloc,
        mark("must hold no fragment: none is ever sent"): bool(parts.fragment),
        mark("must hold no port, or one from 1 to 65535"): not _is_port(parts),
    }
    return next((fault for fault, is_there in faults.items() if is_there), "")


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False
