"""Starts MariaDB in a folder of its own and PHP's server before it; prints the port, ends with its standard input."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FAULTS: Final = set(filter(None, os.environ.get("FAULTS", "").split(",")))

NOWHERE: Final = subprocess.DEVNULL

COLLATIONS: Final = {
    "general-ci": "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "padded-bin": "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "latin1-column": "CHARACTER SET latin1 COLLATE latin1_bin",
    "utf8mb3-column": "CHARACTER SET utf8mb3 COLLATE utf8mb3_nopad_bin",
}


def schema() -> str:
    """The tables, as the faults have them."""
    collation = next(
        (COLLATIONS[fault] for fault in COLLATIONS if fault in FAULTS),
        "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    )
    length = 20 if "varchar-20" in FAULTS else 190
    money = "FLOAT" if "float-column" in FAULTS else "DECIMAL(8,2)" if "decimal-8-2" in FAULTS else "DECIMAL(30,8)"
    code = f"code VARCHAR({length}) {collation} NOT NULL"
    account = "account INT" if "int-column" in FAULTS else "account BIGINT"
    return f"""
        CREATE DATABASE koncili CHARACTER SET utf8mb4; USE koncili;
        CREATE TABLE orders ({account}, {code}, body LONGTEXT, total {money}, deleted TINYINT DEFAULT 0, UNIQUE (account, code));
        CREATE TABLE reconciliations (id BIGINT AUTO_INCREMENT PRIMARY KEY, account BIGINT, init BIGINT, finish BIGINT,
            quantity INT, active TINYINT DEFAULT 1{", UNIQUE (account, init, finish)" if "unlocked-overlap" in FAULTS else ""});
        CREATE TABLE releases (reconciliation BIGINT, account BIGINT, {code}, entries INT
            {"" if FAULTS & {"no-lock", "unlocked-release"} else ", UNIQUE (account, code)"});
        CREATE TABLE tokens (token VARCHAR(200) COLLATE utf8mb4_bin PRIMARY KEY, kind VARCHAR(10));
    """


def foreign() -> str:
    """The orders that did not come through the API."""
    accounts = json.loads(os.environ["KONCILI_WORLD"])["accounts"]
    rows = [
        f"({each['id']}, '{each['foreign']}', '{json.dumps({'marketplaceCode': each['foreign'], 'foreign': True})}', 0, 0)"
        for each in accounts
        if "foreign" in each
    ]
    return "INSERT INTO koncili.orders VALUES " + ", ".join(rows) + ";"  # noqa: S608 - our own accounts


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def waited(connect: Callable[[], object], process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Until it can be connected to."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            connect()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"process {process.pid} does not listen")


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory(prefix="koncili-php-") as directory:
        data, place = Path(directory, "data"), Path(directory, "socket")
        init = Path(directory, "init.sql")
        init.write_text(schema() + foreign(), encoding="utf-8")
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db", "--user=root"], check=True, stdout=NOWHERE, stderr=NOWHERE,
        )  # fmt: skip
        database = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={place}", "--skip-networking", "--user=root",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"], stdout=NOWHERE, stderr=NOWHERE,
        )  # fmt: skip

        def reach() -> None:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(place))

        waited(reach, database)
        subprocess.run(["mariadb", "--no-defaults", f"--socket={place}", "-uroot"], input=init.read_bytes(), check=True)
        port = free_port()
        environment = {
            **os.environ,
            "DSN": f"mysql:unix_socket={place};dbname=koncili;charset=utf8mb4",
            "PHP_CLI_SERVER_WORKERS": "4",
        }
        php = subprocess.Popen(
            ["php", "-d", "display_errors=0", "-d", "precision=17", "-d", "serialize_precision=-1", "-S", f"127.0.0.1:{port}",
             "server.php"], cwd=HERE, env=environment, start_new_session=True, stdout=NOWHERE, stderr=NOWHERE,
        )  # fmt: skip
        try:
            waited(lambda: socket.create_connection(("127.0.0.1", port)).close(), php)
            print(json.dumps({"port": port}), flush=True)
            sys.stdin.read()
        finally:
            os.killpg(php.pid, 9)
            database.terminate()
            database.wait()


if __name__ == "__main__":
    main()
