"""Certify the CON rules of the small server, so many times with its lock and without: how often is it caught?

python -m tests.stacks.races [--times 10] [--think MILLISECONDS]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RULES = [f"CON-{number:02}" for number in range(1, 6)]

TARGET = """
name = "small server"
environment = "sandbox"
base_url = "http://127.0.0.1:{port}"
integrator = "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"
pace = "unlimited"
[credentials]
email = "someone@example"
password = "something"
[[accounts]]
id = 19055
channel = "CHANNEL_NAME"
[readings]
extract-types = "workflow"
value-mismatch = "rejected"
account-id-type = "either"
adjacent-periods = "allowed"
period-bounds = "inclusive"
total-net-value = "unchecked"
empty-extracts = "rejected"
"""


@contextmanager
def serving(*options: str) -> Iterator[int]:
    """The server in a process of its own; its port."""
    command = [sys.executable, "-m", "tests.stacks.sqlite_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def certified(*options: str) -> dict[str, Any]:
    """The certificate of one run against a new server."""
    with tempfile.TemporaryDirectory() as directory, serving(*options) as port:
        place = Path(directory)
        (place / "target.toml").write_text(TARGET.format(port=port))
        command = [str(Path(sys.executable).parent / "koncili-conformance"), "certify", "--no-html"]
        command += ["--target", str(place / "target.toml"), "--reports", str(place / "reports"), "--keep-going"]
        command += [part for rule in RULES for part in ("--rule", rule)]
        state = {"XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache")}
        done = subprocess.run(command, env={**os.environ, **state}, capture_output=True, text=True, check=False)
        written = place / "reports" / "certificate.json"
        if not written.exists():
            raise RuntimeError(done.stdout + done.stderr)
        found: dict[str, Any] = json.loads(written.read_text())
        return found


def main() -> None:
    """Run, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--think", default="0")
    given = parser.parse_args()
    for options in (["--lock"], []):
        verdicts: Counter[str] = Counter()
        rules: Counter[str] = Counter()
        for _ in range(given.times):
            certificate = certified(*options, "--think", given.think)
            verdicts["caught" if any(r["verdict"] == "fail" for r in certificate["rules"]) else "not caught"] += 1
            rules.update(f"{r['id']} {r['verdict']}" for r in certificate["rules"] if r["verdict"] != "not-exercised")
            traffic, begun = certificate["traffic"], certificate["startedAt"]
            print(f"  {traffic['requests']} requests, {traffic['clientErrors']} client errors, {begun}", flush=True)
            for rule in certificate["rules"]:
                if rule["verdict"] not in {"pass", "not-exercised", "fail"}:
                    print(f"  {rule['id']} {rule['verdict']}: {rule['reason'][:300]}", flush=True)
        print(f"{' '.join(options) or 'without a lock'}: {dict(verdicts)} {dict(sorted(rules.items()))}", flush=True)


if __name__ == "__main__":
    main()
