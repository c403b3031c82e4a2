"""A small Koncili on http.server and SQLite, as a developer may write it: each request has a thread and a connection to the
database, and looks with one statement before it writes with another.

    python -m tests.stacks.sqlite_server [--lock] [--think MILLISECONDS]

prints its port. With `--lock` one lock is held from looking to writing, without it none. `--think` is how long it takes from
looking to writing, beside what the database takes.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

SCHEMA: Final = """
PRAGMA journal_mode = WAL;
CREATE TABLE orders (account INTEGER, channel TEXT, code TEXT, body TEXT);
CREATE TABLE books (id INTEGER PRIMARY KEY, account INTEGER, channel TEXT, init REAL, ends REAL, quantity INTEGER,
    received INTEGER);
CREATE TABLE releases (book INTEGER, account INTEGER, channel TEXT, code TEXT, entries INTEGER);
CREATE TABLE refreshes (token TEXT, used INTEGER);
"""
BUSY_SECONDS: Final = 30.0


class Refused(Exception):
    """A refusal: its status and its message."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        self.status = status
        self.body = {"errorMessage": message, "errorCode": code or f"{status}-0", "errorSource": None}
        super().__init__(message)


class Shop:
    """The business: every method is one request."""

    def __init__(self, path: Path, *, locked: bool, think: float) -> None:
        self._path = path
        self._lock: Any = threading.Lock() if locked else nullcontext()
        self._think = think
        with closing(sqlite3.connect(path)) as database:
            database.executescript(SCHEMA)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with self._lock, closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)) as database:
            yield database

    def _thinks(self) -> None:
        if self._think:
            time.sleep(self._think)

    def tokens(self, _: dict[str, Any]) -> tuple[int, Any]:
        refresh = secrets.token_hex(16)
        with self._database() as database:
            database.execute("INSERT INTO refreshes VALUES (?, 0)", (refresh,))
        return 200, {"accessToken": secrets.token_hex(16), "refreshToken": refresh, "expiresIn": 7200}

    def refresh(self, body: dict[str, Any]) -> tuple[int, Any]:
        with self._database() as database:
            row = database.execute("SELECT used FROM refreshes WHERE token = ?", (body.get("refreshToken"),)).fetchone()
            if row is None or row[0]:
                raise Refused(401, "the refresh token is void")
            self._thinks()
            database.execute("UPDATE refreshes SET used = 1 WHERE token = ?", (body.get("refreshToken"),))
        return self.tokens({})

    def submit(self, body: dict[str, Any]) -> tuple[int, Any]:
        key = _key(body)
        with self._database() as database:
            there = database.execute("SELECT 1 FROM orders WHERE (account, channel, code) = (?, ?, ?)", key).fetchone()
            self._thinks()
            if there:
                database.execute(
                    "UPDATE orders SET body = ? WHERE (account, channel, code) = (?, ?, ?)", (json.dumps(body), *key)
                )
            else:
                database.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", (*key, json.dumps(body)))
        return 200, {}

    def query(self, query: dict[str, Any]) -> tuple[int, Any]:
        with self._database() as database:
            return 200, json.loads(self._stored(database, _key(query)))

    def delete(self, query: dict[str, Any]) -> tuple[int, Any]:
        key = _key(query)
        with self._database() as database:
            self._stored(database, key)
            self._thinks()
            row = "SELECT rowid FROM orders WHERE (account, channel, code) = (?, ?, ?) LIMIT 1"
            database.execute(f"DELETE FROM orders WHERE rowid IN ({row})", key)  # noqa: S608
        return 200, {}

    def _stored(self, database: sqlite3.Connection, key: tuple[int, str, str]) -> str:
        row = database.execute("SELECT body FROM orders WHERE (account, channel, code) = (?, ?, ?)", key).fetchone()
        if row is None:
            raise Refused(404, f"Order {key[2]} not found", "404-3")
        return str(row[0])

    def open(self, body: dict[str, Any]) -> tuple[int, Any]:
        account, channel = int(body["accountId"]), body["channelName"]
        init, ends = _seconds(body["periodInitDate"]), _seconds(body["periodEndDate"])
        with self._database() as database:
            where = "FROM books WHERE (account, channel) = (?, ?)"
            if database.execute(f"SELECT 1 {where} AND received < quantity", (account, channel)).fetchone():
                raise Refused(400, "another reconciliation is active")
            over = (account, channel, ends, init)
            if database.execute(f"SELECT 1 {where} AND init < ? AND ? < ends", over).fetchone():
                raise Refused(400, "the period overlaps an earlier one")
            self._thinks()
            inserted = database.execute(
                "INSERT INTO books (account, channel, init, ends, quantity, received) VALUES (?, ?, ?, ?, ?, 0)",
                (account, channel, init, ends, body["releasesQtd"]),
            )
            return 201, {"id": inserted.lastrowid}

    def release(self, body: dict[str, Any]) -> tuple[int, Any]:
        key, number, entries = _key(body), body.get("reconciliationId"), len(body.get("releases") or ())
        with self._database() as database:
            book = database.execute("SELECT quantity, received FROM books WHERE id = ?", (number,)).fetchone()
            if book is None:
                raise Refused(400, f"Reconciliation {number} not found")
            order = json.loads(self._stored_for_release(database, key))
            if len(order["extracts"]) != entries:
                raise Refused(400, "the entries are not those of the order")
            there = "SELECT 1 FROM releases WHERE (account, channel, code) = (?, ?, ?)"
            if database.execute(there, key).fetchone():
                raise Refused(400, "this order's release is there already")
            if book[1] + entries > book[0]:
                raise Refused(400, "more entries than releasesQtd announced")
            self._thinks()
            database.execute("INSERT INTO releases VALUES (?, ?, ?, ?, ?)", (number, *key, entries))
            database.execute("UPDATE books SET received = received + ? WHERE id = ?", (entries, number))
        return 200, {}

    def _stored_for_release(self, database: sqlite3.Connection, key: tuple[int, str, str]) -> str:
        try:
            return self._stored(database, key)
        except Refused as refused:
            raise Refused(400, str(refused)) from None


def _key(holder: dict[str, Any]) -> tuple[int, str, str]:
    return int(holder["accountId"]), holder["channelName"], holder["marketplaceCode"]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def _no_such_path(_: dict[str, Any]) -> tuple[int, Any]:
    raise Refused(404, "no such path")


ACCOUNTS: Final = [{"id": 19055, "channelName": "CHANNEL_NAME", "status": "ACTIVE", "apiImport": True}]


def server(shop: Shop, port: int = 0) -> ThreadingHTTPServer:
    """The server, listening and not yet serving."""
    routes: dict[tuple[str, str], Callable[[dict[str, Any]], tuple[int, Any]]] = {
        ("POST", "/public/api/auth/token"): shop.tokens,
        ("POST", "/public/api/auth/refresh-token"): shop.refresh,
        ("GET", "/my-accounts"): lambda _: (200, ACCOUNTS),
        ("POST", "/order"): shop.submit,
        ("GET", "/order"): shop.query,
        ("DELETE", "/order"): shop.delete,
        ("POST", "/reconciliation"): shop.open,
        ("POST", "/reconciliation/release"): shop.release,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def answer(self) -> None:
            """Any request."""
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            route = routes.get((self.command, parts.path))
            try:
                status, body = (route or _no_such_path)(json.loads(raw) if raw else dict(parse_qsl(parts.query)))
            except Refused as refused:
                status, body = refused.status, refused.body
            except (KeyError, TypeError, ValueError) as error:
                malformed = Refused(400, f"malformed: {error}")
                status, body = malformed.status, malformed.body
            told = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = do_DELETE = answer

    made = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    made.daemon_threads = True
    return made


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", action="store_true", help="hold a lock from looking to writing")
    parser.add_argument("--think", type=float, default=0.0, help="milliseconds from looking to writing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        shop = Shop(Path(directory) / "shop.sqlite", locked=given.lock, think=given.think / 1000)
        with server(shop) as serving:
            print(serving.server_address[1], flush=True)
            serving.serve_forever()


if __name__ == "__main__":
    main()
