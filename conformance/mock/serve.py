"""Serves the mock on a socket (waitress), and says how to point a client at it."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from conformance.errors import CannotRun
from conformance.mock import notifications
from conformance.mock.app import make_app
from conformance.mock.clock import ticking
from conformance.mock.defects import DEFECTS, FAMILIES
from conformance.mock.defects import defect as find_defect
from conformance.mock.in_flight import UNTOLD_SECONDS
from conformance.mock.koncili import Koncili, Witness
from conformance.mock.quirks import Quirk, Variant, Wire
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.variants import VARIANTS
from conformance.mock.variants import variant as find_variant
from conformance.mock.wire import HOST, MOST_BODY_BYTES, MOST_CONNECTIONS, STALL_SECONDS, server_of

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer

TICK_SECONDS: Final = 0.2

THREADS: Final = 10
"""How many answer: as many as may come at once, and one for a command that waits for a callback that takes its time."""


def serve(
    *,
    port: int,
    defect: str | None,
    variant: str | None,
    target_file: Path | None,
    limits: bool = False,
    witness: Witness | None = None,
    overhears: notifications.Witness | None = None,
) -> None:
    """Serve until interrupted; port 0 takes any free one. With `limits` the documented ones hold from the start. `witness` is
    shown every call, `overhears` every notification.

    Raises CannotRun: unknown quirk, port taken, file not writable.
    """
    quirk = _quirk(defect, variant)
    taken = _taken(port)
    port = int(taken.getsockname()[1])
    base_url = f"http://{HOST}:{port}"
    table = mock_target_table(base_url, _readings(quirk))
    if limits:
        del table["pace"]  # what is left out is the documented one
    if target_file is not None:
        try:
            target_file.write_text(to_toml(table), encoding="utf-8")
        except OSError as error:
            raise CannotRun(f"{target_file}: cannot be written: {error}") from None
    print(_greeting(base_url, table, quirk, target_file, limits=limits), flush=True)
    koncili = _koncili(quirk, limits=limits)
    koncili.witness, koncili.notifier.witness = witness, overhears
    if quirk is not None and quirk.wire is not None:
        taken.close()
        _serve_by_hand(koncili, quirk.wire, port)
    else:
        wsgi_server(make_app(koncili), taken).run()


def list_quirks() -> str:
    """Every defect by family, and every variant, with what it does, a line each."""
    width = max(map(len, (*DEFECTS, *VARIANTS)))
    tables: dict[str, Iterable[Quirk]] = {f"defects, {family}": quirks for family, quirks in FAMILIES.items()}
    lines: list[str] = []
    for title, quirks in (tables | {"variants": VARIANTS.values()}).items():
        lines += [f"{title}:", *(f"  {quirk.name:{width}}  {quirk.statement}" for quirk in quirks), ""]
    return "\n".join(lines).rstrip()


def wsgi_server(
    app: Callable[..., Iterable[bytes]], listening: socket.socket, stall_seconds: float = STALL_SECONDS
) -> BaseWSGIServer:
    """A server of the application on a socket that listens; its `run` serves until interrupted.

    Waitress reads each request whole before a thread sees it, so that a client that sends half of one holds up nobody; it is
    hung up on when it was silent for so many seconds.
    """
    from waitress import create_server

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that a request waits for a thread is no news
    return create_server(
        app,
        sockets=[listening],
        threads=THREADS,
        channel_timeout=stall_seconds,
        cleanup_interval=1,
        connection_limit=MOST_CONNECTIONS,
        backlog=MOST_CONNECTIONS,
        max_request_body_size=MOST_BODY_BYTES,
        asyncore_use_poll=True,  # select() takes no descriptor beyond 1023
        ident=None,
    )


def _koncili(quirk: Quirk | None, *, limits: bool) -> Koncili:
    """A mock whose clock ticks, and to which things happen by themselves."""
    koncili = Koncili(clock=ticking(), quirks=[quirk] if quirk else [], readings=_readings(quirk))
    koncili.limits.enforce(on=limits)
    koncili.in_flight.alone_seconds = UNTOLD_SECONDS
    Thread(target=_tick, args=(koncili,), daemon=True).start()
    return koncili


def _serve_by_hand(koncili: Koncili, wire: Wire, port: int) -> None:
    with server_of(koncili, wire, port) as server, suppress(KeyboardInterrupt):
        server.serve_forever()


def _tick(koncili: Koncili) -> None:
    """What is due comes also while nobody asks: reconciliations end, notifications leave."""
    while True:
        time.sleep(TICK_SECONDS)
        koncili.tick()


def _quirk(defect: str | None, variant: str | None) -> Quirk | None:
    try:
        return find_defect(defect) if defect else find_variant(variant) if variant else None
    except KeyError as error:
        raise CannotRun(str(error.args[0])) from None


def _readings(quirk: Quirk | None) -> Mapping[str, str]:
    return dict(quirk.readings) if isinstance(quirk, Variant) else {}


def _taken(port: int) -> socket.socket:
    """A socket that has the port, listening, so that nobody else takes it: 0 is any free one. Raises CannotRun."""
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port))
        taken.listen(MOST_CONNECTIONS)
    except OSError as error:
        taken.close()
        raise CannotRun(f"port {port} of {HOST} cannot be had: {error.strerror}; choose another with --port") from None
    return taken


def _greeting(
    base_url: str, table: Mapping[str, object], quirk: Quirk | None, target_file: Path | None, *, limits: bool
) -> str:
    from conformance.contract.credentials import encode_credentials
    from conformance.mock.world import EMAIL, PASSWORD

    path = target_file or Path("mock.toml")
    lines = [
        f"mock Koncili at {base_url}{f' with {quirk.name}: {quirk.statement}' if quirk else ''}",
        *(["It holds you to the documented rates and the blacklist from the start."] if limits else []),
        "",
        "A token:",
        f"  curl -s -H 'content-type: application/json' {base_url}/public/api/auth/token \\",
        f'    --data-raw \'{{"credentials": "{encode_credentials(EMAIL, PASSWORD)}"}}\'',
        "Its accessToken is what printed curl lines take: export KONCILI_TOKEN=...",
        "",
        f"Certify it from another terminal: koncili-conformance certify --target {path}",
    ]
    if target_file is None:
        lines += [f"with {path} as follows (or let --target-file write it):", "", to_toml(table)]
    return "\n".join([*lines, "", "Ctrl-C ends it."])
