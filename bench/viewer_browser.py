"""A Chromium without a window and without a graphics card, and what it says of a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, sync_playwright

from bench.viewer_films import Films

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--ignore-gpu-blocklist",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # nothing is asked of the world outside
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 120_000


def path() -> str | None:
    """Where Chromium is; None when it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def playing() -> Iterator[Playwright]:
    """Playwright for the block."""
    with sync_playwright() as playwright:
        yield playwright


@contextmanager
def browser(playwright: Playwright, *more: str) -> Iterator[Browser]:
    """A new process with nothing in its caches."""
    started = playwright.chromium.launch(executable_path=path(), args=[*ARGUMENTS, *more])
    try:
        yield started
    finally:
        started.close()


@contextmanager
def visit(playwright: Playwright, films: Films, viewport: ViewportSize = DESKTOP) -> Iterator[Page]:
    """A page of a new browser in which a doctor is signed in."""
    with browser(playwright) as started:
        context = started.new_context(viewport=viewport, locale="zh-CN")
        sign_in(context, films)
        yield drawn_page(context)


def drawn_page(context: BrowserContext) -> Page:
    """An empty page that was drawn: a browser that people use is up, and starting its graphics takes a second here."""
    page = context.new_page()
    page.goto("about:blank")
    page.screenshot()
    return page


def sign_in(context: BrowserContext, films: Films) -> None:
    """The doctor's session, on every port of this machine."""
    context.add_cookies([{"name": "cf_session", "value": films.token, "domain": "127.0.0.1", "path": "/"}])


def until(page: Page, condition: str) -> float:
    """Wait until a condition of JavaScript holds; the page's own clock then, in ms since the navigation.

    Playwright's way is an eval, which the page's policy forbids.
    """
    told: float | None = page.evaluate(
        f"""async () => {{
          while (performance.now() < {PATIENCE_MS}) {{
            if ({condition}) return performance.now();
            await new Promise((done) => setTimeout(done, 5));
          }}
          return null;
        }}"""
    )
    if told is None:
        raise RuntimeError(f"{condition} did not come true; the film is {page.evaluate(STATE)}")
    return told


STATE = "JSON.stringify(window.cloudfilm?.state() ?? document.body.innerText.slice(0, 200))"


def open_film(page: Page, url: str) -> float:
    """Open a film; ms from the navigation until pixels of DICOM are painted."""
    page.goto(url, wait_until="commit")
    until(page, "document.documentElement.dataset.firstFrame")
    return float(page.evaluate("+document.documentElement.dataset.firstFrame"))


def first_contentful_paint(page: Page) -> float:
    """Ms from the navigation."""
    until(page, "performance.getEntriesByName('first-contentful-paint').length")
    return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))


def state(page: Page) -> dict[str, Any]:
    """What the viewer says of itself."""
    told: dict[str, Any] = page.evaluate("window.cloudfilm.state()")
    return told
