"""Compiles the Java server where need be, starts MariaDB in a folder of its own and the server before it; prints the port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Final

from tests.stacks.mariadb import NAME, free_port, running

HERE: Final = Path(__file__).parent
CLASSES: Final = HERE / "build"
JARS: Final = [
    Path("/usr/share/java", f"{name}.jar")
    for name in (
        "jackson-core",
        "jackson-databind",
        "jackson-annotations",
        "mariadb-java-client",
        "slf4j-api",
        "slf4j-nop",
    )
]
FAULTS: Final = set(filter(None, os.environ.get("FAULTS", "").split(",")))

OPTIONS: Final = (
    "-Xmx192m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
    "-Dsun.net.httpserver.idleInterval=5", "-Dsun.net.httpserver.nodelay=true",
)  # fmt: skip

COLLATIONS: Final = {
    "general-ci": "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "unicode-ci": "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    "padded-bin": "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "latin1-column": "CHARACTER SET latin1 COLLATE latin1_bin",
    "utf8mb3-column": "CHARACTER SET utf8mb3 COLLATE utf8mb3_nopad_bin",
}
MONEY: Final = {
    "decimal-10-2": "DECIMAL(10,2)",
    "decimal-8-2": "DECIMAL(8,2)",
    "decimal-10-1": "DECIMAL(20,1)",
    "decimal-10-0": "DECIMAL",
    "float-column": "FLOAT",
    "double-column": "DOUBLE",
}
INSTANTS: Final = {"datetime-column": "DATETIME", "timestamp-column": "TIMESTAMP NULL", "date-column": "DATE"}
EXTRACT_KEYS: Final = {
    "extracts-by-type": ", UNIQUE (order_id, type)",
    "extract-key": ", UNIQUE (order_id, type)",
    "extracts-once": ", UNIQUE (order_id, type, value)",
}


def schema() -> str:
    """The tables, as the faults have them."""

    def chosen(table: dict[str, str], default: str) -> str:
        return next((table[fault] for fault in table if fault in FAULTS), default)

    accounts = json.loads(os.environ["KONCILI_WORLD"])["accounts"]
    imported = [
        f"({each['id']}, '{each['channel']}', '{each['foreign']}', 'INVOICED', '2025-01-01', 10.00, 1, '2025-01-01')"
        for each in accounts
        if "foreign" in each
    ]
    return Template((HERE / "schema.sql").read_text(encoding="utf-8")).substitute(
        accounts=", ".join(f"({each['id']})" for each in accounts),
        imported=", ".join(imported),
        collation=chosen(COLLATIONS, "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"),
        length=chosen({"varchar-20": "20", "varchar-50": "50"}, "190"),
        money=chosen(MONEY, "DECIMAL(20,2)"),
        moment=chosen(INSTANTS, "DATETIME(6)"),
        tokens=chosen({"tokens-in-any-case": "utf8mb4_general_ci"}, "utf8mb4_nopad_bin"),
        quantity=chosen({"quantity-in-tinyint": "TINYINT UNSIGNED"}, "INT"),
        percentage=chosen({"percentage-of-5": "5"}, "100"),
        extract_key=chosen(EXTRACT_KEYS, ""),
        release_key=chosen(dict.fromkeys(("no-lock", "released-again", "entry-by-entry"), ""), ", UNIQUE (order_id)"),
        first=chosen({"large-ids": "5000000000"}, "1"),
    )


def compiled() -> None:
    """The classes, newer than their sources."""
    sources = sorted(HERE.glob("*.java"))
    mark = CLASSES / "Server.class"
    if mark.exists() and mark.stat().st_mtime > max(each.stat().st_mtime for each in sources):
        return
    jars = os.pathsep.join(map(str, JARS))
    subprocess.run(["javac", "--release", "17", "-d", CLASSES, "-cp", jars, *sources], check=True)


def main() -> None:
    """Serve until standard input ends."""
    compiled()
    port = int(os.environ.get("STACKS_MARIADB_PORT", "0")) or free_port()
    with running(schema(), ["--bind-address=127.0.0.1", f"--port={port}"]):
        url = f"jdbc:mariadb://127.0.0.1:{port}/{NAME}?useUnicode=true"
        classes = os.pathsep.join([str(CLASSES), *map(str, JARS)])
        server = subprocess.run(
            ["java", *OPTIONS, "-cp", classes, "Server", url], stdin=sys.stdin, stdout=sys.stdout, check=False
        )
    sys.exit(server.returncode)


if __name__ == "__main__":
    main()
