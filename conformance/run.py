"""Runs the certification scenarios in this process, through pytest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

CANNOT_RUN = 3


def suite_root() -> Path:
    """Where features/ and tests/certification/ are: the checkout, or inside the installed package."""
    package = Path(__file__).parent
    installed = package / "_suite"
    return installed if installed.is_dir() else package.parent


def run_certification(arguments: Sequence[str], *, workers: int = 1, verbose: bool = False) -> int:
    """Run the scenarios with these pytest options; the exit code of `certify`."""
    import pytest

    from conformance.plugin import CERTIFICATION

    root = suite_root()
    verdicts = _Verdicts(CERTIFICATION)
    own = [
        f"--rootdir={root}", f"--confcutdir={root}", f"-c={root / 'pyproject.toml'}" if _is_checkout(root) else "-c=/dev/null",
        "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:anyio",
        "-o", f"pythonpath={root}", "-o", f"bdd_features_base_dir={root / 'features'}/", "-o", "filterwarnings=error",
        "--import-mode=importlib", "--no-header", "--tb=no", "--show-capture=no", "-v" if verbose else "-q", "-rN",
        "-n", str(workers if workers > 1 else 0),
    ]  # fmt: skip
    code = pytest.main([str(root / "tests" / "certification"), *own, *arguments], plugins=[verdicts])
    if verdicts.exit_code is None:
        if code not in {CANNOT_RUN, pytest.ExitCode.INTERRUPTED}:
            print(f"koncili-conformance: pytest ended with {code!r} before anything was certified", file=sys.stderr)
        return CANNOT_RUN
    return verdicts.exit_code


def _is_checkout(root: Path) -> bool:
    return (root / "pyproject.toml").is_file()


class _Verdicts:
    """Takes the exit code from the certification before pytest lets go of it."""

    def __init__(self, key: object) -> None:
        self._key = key
        self.exit_code: int | None = None

    def pytest_unconfigure(self, config: object) -> None:
        certification = config.stash.get(self._key, None)  # type: ignore[attr-defined]
        if certification is not None:
            self.exit_code = certification.exit_code
