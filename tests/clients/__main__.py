"""Generates clients of the OpenAPI document, and lets each complete an order, a reconciliation and a release against a mock.

    python -m tests.clients [--only NAME]

Money and instants must come out of it as they went in, in the mock and in what the client reads; what each loses besides is told
(docs/clients.md). Generators are pinned in requirements.txt and package.json, and installed into .venv/clients.
Exit codes: 0 all are intact, 1 one is not, 3 something could not be installed or generated.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance.contract import openapi
from conformance.testing.mock import KonciliMock, koncili_mock
from tests.clients.losses import intact, losses
from tests.clients.story import story

HERE: Final = Path(__file__).parent
TOOLS: Final = HERE.parents[1] / ".venv" / "clients"
PYTHON: Final = TOOLS / "python" / "bin" / "python"

FAILED, CANNOT_RUN = 1, 3


class CannotRun(Exception):
    """A tool failed; the message has its last lines."""


@dataclass(frozen=True)
class Generator:
    """A generator, and how its client is made and started in a directory that has the document as openapi.json."""

    name: str
    made_by: tuple[tuple[str, ...], ...]
    program: str
    """In programs/."""

    @property
    def started(self) -> tuple[str, str]:
        """The command that starts the program."""
        return (
            ("node", f"compiled/{Path(self.program).stem}.js")
            if self.program.endswith(".ts")
            else (str(PYTHON), self.program)
        )


def _tool(name: str) -> str:
    return str(PYTHON.with_name(name))


def _node(name: str) -> str:
    return str(TOOLS / "node" / "node_modules" / ".bin" / name)


COMPILER: Final = {"strict": True, "target": "es2022", "module": "nodenext", "skipLibCheck": True, "outDir": "compiled"}
"""Options of tsc."""

HEY_API: Final = """export default {
  input: "openapi.json",
  output: { path: "hey", module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
};
"""


GENERATORS: Final = (
    Generator(
        "openapi-python-client",
        (
            (
                _tool("openapi-python-client"), "generate", "--path", "openapi.json", "--meta", "none",
                "--output-path", "koncili_client", "--config", "config.json",
            ),
        ),
        "openapi_python_client.py",
    ),
    Generator(
        "datamodel-code-generator",
        (
            (
                _tool("datamodel-codegen"), "--input", "openapi.json", "--input-file-type", "openapi",
                "--output", "koncili_models.py", "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin",
            ),
        ),
        "datamodel_code_generator.py",
    ),
    Generator(
        "openapi-generator-cli",
        (
            (
                _tool("openapi-generator-cli"), "generate", "-i", "openapi.json", "-g", "python", "-o", ".",
                "--package-name", "koncili_generated",
            ),
        ),
        "openapi_generator.py",
    ),
    Generator(
        "openapi-typescript",
        ((_node("openapi-typescript"), "openapi.json", "-o", "koncili.ts"), (_node("tsc"), "--project", "tsconfig.json")),
        "openapi_fetch.ts",
    ),
    Generator(
        "@hey-api/openapi-ts",
        (
            (_node("openapi-ts"), "-f", "hey-api.config.mjs"),
            (_node("tsc"), "--project", "tsconfig.json"),
        ),
        "hey_api.ts",
    ),
)  # fmt: skip


def run(command: Sequence[str], directory: Path) -> str:
    """What a command prints. Raises CannotRun."""
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"{command[0]}: {error}") from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise CannotRun(f"{Path(command[0]).name} ended with {done.returncode}:\n{said}")
    return done.stdout


def install() -> None:
    """The generators, as they are pinned. Raises CannotRun."""
    stamp = TOOLS / "installed"
    pins = [HERE / "requirements.txt", HERE / "package.json", HERE / "package-lock.json"]
    wanted = "".join(path.read_text("utf-8") for path in pins)
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    (TOOLS / "node").mkdir(parents=True, exist_ok=True)
    if uv := shutil.which("uv"):
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, "python"], TOOLS)
        run([uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", str(pins[0])], TOOLS)
    else:
        run([sys.executable, "-m", "venv", "--clear", "python"], TOOLS)
        run([str(PYTHON), "-m", "pip", "install", "-qq", "--require-hashes", "-r", str(pins[0])], TOOLS)
    for path in pins[1:]:
        shutil.copy(path, TOOLS / "node")
    run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], TOOLS / "node")
    stamp.write_text(wanted, encoding="utf-8")


def prepared(folder: Path, program: str) -> Path:
    """A directory with the document, the programs, and what Node looks for in it."""
    shutil.copy(HERE / "programs" / program, folder)
    (folder / "openapi.json").write_text(json.dumps(openapi.without_webhooks()), encoding="utf-8")
    (folder / "config.json").write_text('{"package_name_override": "koncili_client", "post_hooks": []}', "utf-8")
    (folder / "hey-api.config.mjs").write_text(HEY_API, "utf-8")
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER, "files": [program]}), "utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (folder / "node_modules").symlink_to(TOOLS / "node" / "node_modules")
    return folder


def told(generator: Generator, folder: Path, mock: KonciliMock) -> tuple[list[str], Mapping[str, str]]:
    """What is wrong with the money and the instants of its client, and what it loses besides."""
    tale = story(mock)
    (folder / "story.json").write_text(json.dumps(tale), encoding="utf-8")
    read = json.loads(run([*generator.started, "story.json"], folder))
    mock.clock.advance(3)  # then it has reconciled
    stored = {order.code: order for order in mock.orders}
    return intact(tale, read, stored), losses(tale, read, stored)


def main() -> int:
    """Try them; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", default="", help="those whose name contains this")
    chosen = [one for one in GENERATORS if parser.parse_args().only in one.name]
    code = 0
    try:
        install()
        for generator in chosen:
            with tempfile.TemporaryDirectory(prefix="koncili-clients-") as name, koncili_mock() as mock:
                folder = prepared(Path(name), generator.program)
                for command in generator.made_by:
                    run(command, folder)
                problems, lost = told(generator, folder, mock)
            print(f"{generator.name}: {'money and instants intact' if not problems else 'NOT INTACT'}")
            for line in [*problems, *(f"{what}: {how}" for what, how in lost.items())]:
                print(f"  {line}")
            code = FAILED if problems else code
    except CannotRun as error:
        print(f"make clients: {error}", file=sys.stderr)
        return CANNOT_RUN
    return code


if __name__ == "__main__":
    sys.exit(main())
