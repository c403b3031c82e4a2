"""Starts MariaDB in a folder of its own and PHP's server before it; prints the port, ends with its standard input."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.stacks.mariadb import NAME, NOWHERE, free_port, running, waited

HERE: Final = Path(__file__).parent
FAULTS: Final = set(filter(None, os.environ.get("FAULTS", "").split(",")))

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
    return "INSERT INTO orders VALUES " + ", ".join(rows) + ";"  # noqa: S608 - our own accounts


def main() -> None:
    """Serve until standard input ends."""
    with running(schema() + foreign()) as place:
        port = free_port()
        environment = {
            **os.environ,
            "DSN": f"mysql:unix_socket={place};dbname={NAME};charset=utf8mb4",
            "PHP_CLI_SERVER_WORKERS": "16",
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


if __name__ == "__main__":
    main()
