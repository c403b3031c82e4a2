"""Serves the mock on a socket, and says how to point a client at it."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final
from urllib.parse import urlsplit

from conformance.contract.jsontext import NotJSON, dumps, loads
from conformance.errors import CannotRun
from conformance.escaping import line
from conformance.i18n.messages import tr
from conformance.mock import notifications
from conformance.mock.clock import ticking
from conformance.mock.exactly_once import ExactlyOnce, plans, told
from conformance.mock.in_flight import UNTOLD_SECONDS
from conformance.mock.koncili import Koncili, Witness
from conformance.mock.named_quirks import defects_named, list_quirks, variants_named
from conformance.mock.quirks import Quirk, Wire, readings_of
from conformance.mock.request_log import Entry, line_of
from conformance.mock.scenario import Scenario, read_scenario
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.wire import (
    HOST,
    PLAIN,
    listening_at,
    server_on,
)

__all__ = ["LOG_FORMATS", "Settings", "list_quirks", "serve", "ticked", "ticking_koncili"]

TICK_SECONDS: Final = 0.2

LOG_FORMATS: Final = ("human", "json", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a mock is served."""

    host: str = HOST
    port: int = 0
    """0: any free one."""
    defects: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    limits: bool = False
    """Whether the documented ones hold from the start."""
    scenario: Path | None = None
    """A file with more of these, and with faults."""
    certificate: Path | None = None
    """PEM, for https; the key too, unless that is a file of its own."""
    key: Path | None = None
    target_file: Path | None = None
    """Where to write a target file."""
    ready_file: Path | None = None
    """Where to write the base URL once it listens, removed at the end."""
    state_file: Path | None = None
    """Whose state it begins with, where it is there, and where it leaves its own."""
    like: tuple[Quirk, ...] = ()
    """By which it is like an endpoint that was certified (conformance/mock/like.py)."""
    log_format: str = "none"
    certify_client: bool = False
    """Whether it judges its client by what becomes of lost answers."""
    witness: Witness | None = None
    """Is shown every call."""
    overhears: notifications.Witness | None = None
    """Is shown every notification."""


def serve(settings: Settings) -> int:
    """Serve until interrupted; the exit code: 0, or with `certify_client` what is said of the client.

    Raises CannotRun: unknown quirk, address taken, a file that can't be read or written.
    """
    scenario = read_scenario(settings.scenario) if settings.scenario else Scenario()
    quirks = _quirks([*scenario.defects, *settings.defects], [*scenario.variants, *settings.variants])
    limits = settings.limits or scenario.limits
    quirks = [*settings.like, *quirks]
    tls = _tls(settings.certificate, settings.key)
    with _listening(settings.host, settings.port) as taken:
        base_url = base_url_of(settings.host, taken.getsockname()[1], secure=tls is not None)
        koncili = ticking_koncili(quirks, limits=limits)
        koncili.witness, koncili.notifier.witness = settings.witness, settings.overhears
        koncili.log.tells += _tellers(settings.log_format)
        scenario.begin(koncili)
        judges = ExactlyOnce() if settings.certify_client else None
        if judges is not None:
            koncili.log.tells.append(judges.take)
            koncili.switch([*koncili.quirks, judges.quirk])
            koncili.faults.play(plans(), beside=True)
        with _state_kept(koncili, settings.state_file):
            table = _table(base_url, quirks, limits=limits)
            if settings.target_file is not None:
                _write(settings.target_file, to_toml(table))
            with _server(koncili, taken, tls) as run, _ready(settings.ready_file, base_url), ticked(koncili):
                signal.signal(signal.SIGTERM, _interrupt)  # as containers are stopped
                with suppress(KeyboardInterrupt):
                    print(greeting(base_url, table, quirks, settings, limits=limits), flush=True)
                    run()
        return _verdict(koncili, judges) if judges is not None else 0


def _verdict(koncili: Koncili, judges: ExactlyOnce) -> int:
    judgement = koncili.look(judges.judge)
    print("\n".join(map(line, told(judgement))), flush=True)
    return judgement.exit_code


def base_url_of(host: str, port: int, *, secure: bool) -> str:
    """Where a client on this machine finds what listens there."""
    shown = {"0.0.0.0": HOST, "::": "::1", "": HOST}.get(host, host)  # noqa: S104 - it is compared, not listened on
    return f"{'https' if secure else 'http'}://{f'[{shown}]' if ':' in shown else shown}:{port}"


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches what listens there."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def ticking_koncili(quirks: list[Quirk], *, limits: bool = False, readings: Mapping[str, str] | None = None) -> Koncili:
    """A mock whose clock ticks, of these readings where no quirk has others. Raises ValueError for quirks that don't go
    together."""
    koncili = Koncili(clock=ticking(), readings=readings)
    koncili.switch(quirks)
    koncili.limits.enforce(on=limits)
    koncili.in_flight.alone_seconds = UNTOLD_SECONDS
    return koncili


@contextmanager
def ticked(koncili: Koncili) -> Iterator[None]:
    """What is due comes also while nobody asks: reconciliations end, notifications leave."""
    over = Event()

    def tick() -> None:
        while not over.wait(TICK_SECONDS):
            koncili.tick()

    ticking = Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def _server(koncili: Koncili, taken: socket.socket, tls: ssl.SSLContext | None) -> Iterator[Callable[[], None]]:
    """What serves there until interrupted."""
    wire: Wire = next((quirk.wire for quirk in koncili.quirks if quirk.wire is not None), PLAIN)
    with server_on(taken, koncili, wire, tls) as server:
        yield server.serve_forever


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _quirks(defects: list[str], variants: list[str]) -> list[Quirk]:
    try:
        quirks = [*defects_named(dict.fromkeys(defects)), *variants_named(dict.fromkeys(variants))]
        readings_of(quirks)
    except ValueError as error:
        raise CannotRun(str(error)) from None
    return quirks


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        if key is not None:
            raise CannotRun(f"{key}: a key alone is not enough; give the certificate too, with --tls-certificate")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        told = f"{certificate} and {key}" if key else str(certificate)
        raise CannotRun(f"{told}: no certificate with its key (PEM, without a password): {error}") from None
    return context


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        taken = listening_at(host, port)
    except OSError as error:
        other = "--port" if error.errno in {errno.EADDRINUSE, errno.EACCES} else "--host"
        raise CannotRun(f"port {port} of {host} cannot be had: {error.strerror}; choose another with {other}") from None
    with taken:
        yield taken


# -- files -----------------------------------------------------------------------------------------------------------


def _write(path: Path, text: str) -> None:
    """Write the file whole: whoever reads it meanwhile sees what was there. Raises CannotRun."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CannotRun(f"{path}: cannot be written: {error}") from None


@contextmanager
def _ready(path: Path | None, base_url: str) -> Iterator[None]:
    """The ready file is there for as long as the mock listens."""
    if path is None:
        yield
        return
    _write(path, f"{base_url}\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _state_kept(koncili: Koncili, path: Path | None) -> Iterator[None]:
    """Begin with the state that the file holds, and leave there what it is at the end."""
    if path is None:
        yield
        return
    from conformance.mock.snapshot import snapshot_of

    try:
        text = path.read_bytes()
    except FileNotFoundError:
        text = b""
    except OSError as error:
        raise CannotRun(f"{path}: cannot be read: {error.strerror}") from None
    if text:
        try:
            koncili.control({"restore": loads(text)})
        except (NotJSON, ValueError) as error:
            raise CannotRun(f"{path}: no state of a mock: {error}; remove it to begin anew") from None
    try:
        yield
    finally:
        _write(path, dumps(koncili.look(snapshot_of), indent=1) + "\n")


# -- what is told ----------------------------------------------------------------------------------------------------


def _tellers(log_format: str) -> list[Callable[[Entry], object]]:
    """Writes each call to the standard output, until nobody reads that any more."""
    if log_format == "none":
        return []
    writing = Lock()
    heard: list[bool] = [True]

    def tell(entry: Entry) -> None:
        if log_format == "json":
            text = dumps({name: value for name, value in entry.table().items() if name != "body"})
        else:
            text = line(line_of(entry))
        with writing:
            if heard[0]:
                try:
                    sys.stdout.write(f"{text}\n")
                    sys.stdout.flush()
                except (OSError, ValueError):  # closed
                    heard[0] = False

    return [tell]


def _table(base_url: str, quirks: list[Quirk], *, limits: bool) -> dict[str, Any]:
    table = mock_target_table(base_url, readings_of(quirks))
    if limits or not is_loopback(urlsplit(base_url).hostname or ""):
        del table["pace"]  # what is left out is the documented one, which alone is allowed beyond loopback
    return table


def greeting(
    base_url: str, table: Mapping[str, object], quirks: list[Quirk], settings: Settings, *, limits: bool
) -> str:
    """What is told when it listens."""
    from conformance.contract.credentials import encode_credentials
    from conformance.mock.world import EMAIL, PASSWORD

    path = settings.target_file or Path("mock.toml")
    secure = " --cacert CERTIFICATE" if base_url.startswith("https:") else ""
    with_ = f" with {quirks[0].name}: {quirks[0].statement}" if quirks else ""
    lines = [
        tr("mock Koncili at {url}", url=base_url) + with_,
        *(tr("and with {name}: {statement}", name=quirk.name, statement=quirk.statement) for quirk in quirks[1:]),
        *([tr("It holds you to the documented rates and the blacklist from the start.")] if limits else []),
    ]
    if not is_loopback(settings.host):
        lines += [
            tr(
                "NOTE: it listens at {host}: whoever reaches that can command it by /_mock, have it post to any address"
                " from here, and read what it was sent. Give it no real credentials and no real orders.",
                host=settings.host,
            ),
        ]
    lines += [
        "",
        tr("A token:"),
        f"  curl -s{secure} -H 'content-type: application/json' {base_url}/public/api/auth/token \\",
        f'    --data-raw \'{{"credentials": "{encode_credentials(EMAIL, PASSWORD)}"}}\'',
        tr("Its accessToken is what printed curl lines take: export KONCILI_TOKEN=..."),
        "",
        tr("What it was asked, and what was wrong with that: {url}", url=f"{base_url}/_mock/"),
        tr("Certify it from another terminal: {command}", command=f"koncili-conformance certify --target {path}"),
    ]
    if settings.target_file is None:
        lines += [tr("with {path} as follows (or let --target-file write it):", path=path), "", to_toml(table)]
    return "\n".join([*lines, "", tr("Ctrl-C ends it.")])
