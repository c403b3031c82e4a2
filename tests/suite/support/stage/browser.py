"""A real browser without a network: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")

QUIET: Final = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
"""Chromium itself is to call nobody either."""

PATIENCE_MILLISECONDS: Final = 120_000
"""An Allure report takes 3 s of a processor to be drawn, which CI's machine shared with others for 30 s once."""
expect.set_options(
    timeout=PATIENCE_MILLISECONDS
)  # a context's own is not theirs: they wait 5 s, less than a busy machine may take

INSIDE: Final = ("file:", "data:", "blob:", "about:")
"""What needs no network."""


@dataclass
class Opened:
    """A page that was opened from disk, with what it complained about and what it asked the network for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of its console, and exceptions that nobody caught."""
    calls: list[str] = field(default_factory=list)
    """The addresses that it asked for beyond itself."""

    def check_quiet(self) -> None:
        """It complained of nothing and called nobody."""
        assert self.complaints == []
        assert self.calls == []


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium; starting it takes a second or so, so that a module shares one. AssertionError where it is missing."""
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert executable, "no Chromium here: .ci/setup-system installs it (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(QUIET), chromium_sandbox=False)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def opened(
    browser: Browser, path: Path, *, dark: bool = False, width: int = 1400, height: int = 1000
) -> Iterator[Opened]:
    """A file, opened from disk with no network."""
    context = browser.new_context(
        offline=True, color_scheme="dark" if dark else "light", viewport={"width": width, "height": height}
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    try:
        page = context.new_page()
        watched = Opened(page)

        def told(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                watched.complaints.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith(INSIDE):
                watched.calls.append(request.url)

        page.on("console", told)
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        context.on("request", asked)
        page.goto(path.resolve().as_uri())
        yield watched
    finally:
        context.close()
