"""Pages in a browser: the application served on a port of its own, and what every page must be."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from api.cookies import SESSION

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
# WCAG 2.2 §2.5.5 and both phone makers' guides: what a thumb hits reliably.
TOUCH_PIXELS = 44

SMALL_TARGETS = f"""() => [...document.querySelectorAll('a, button, input:not([type=hidden])')]
  .filter((one) => one.offsetParent)
  .map((one) => [one.textContent.trim(), (one.closest('label') ?? one).getBoundingClientRect().height])
  .filter(([, height]) => height < {TOUCH_PIXELS})"""
IS_TOO_WIDE = "() => document.documentElement.scrollWidth > innerWidth"


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of the application while the block runs."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def new_page(chromium: Browser, url: str, token: str = "", size: Any = PHONE, script: bool = True) -> Page:
    """A page of a browser of its own, signed in by a session's token."""
    context = chromium.new_context(viewport=size, locale="zh-CN", java_script_enabled=script)
    context.set_default_timeout(15_000)
    if token:
        context.add_cookies([{"name": SESSION, "value": token, "url": url}])
    return context.new_page()


def complaints_of(page: Page) -> list[str]:
    """What the browser's console is told from now on: refused styles and scripts, errors, missing files."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard
