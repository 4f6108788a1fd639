"""The film in a page of another system, which steers it by postMessage: the example of the documentation, in a browser."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.film_fixture import DIST, FilmServer, ct_series

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"

pytestmark = [
    pytest.mark.requirement("F6"),
    pytest.mark.skipif(not (DIST / "film.js").exists(), reason="the viewer is not built"),
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """The other system's pages: another port is another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(EXAMPLES)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def served() -> Iterator[FilmServer]:
    with FilmServer([ct_series(12)]).running() as server:
        yield server


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def embed(page: Page, host: str, film: FilmServer) -> Any:
    page.goto(f"{host}/embed.html")
    page.fill("#address", f"{film.url}/film")
    page.click("#open")
    frame = page.frame_locator("#film")
    frame.locator("#film[data-state=ready]").wait_for()
    return frame


def test_an_allowed_page_steers_the_film(page: Page, host: str, served: FilmServer) -> None:
    served.embed_origins = host
    embed(page, host, served)
    state = page.locator("#state")
    page.wait_for_function("document.getElementById('state').value.includes('第 7 幅')")
    page.click("[data-call=step]")
    page.wait_for_function("document.getElementById('state').value.includes('第 8 幅')")
    page.click("[data-call=bone]")
    page.wait_for_function("document.getElementById('state').value.includes('W 1800 L 400')")
    page.click("[data-call=layout]")
    page.wait_for_function("document.getElementById('state').value.startsWith('2×2')")
    assert "第 8 幅" in state.inner_text()


def test_what_is_no_call_is_refused_with_words(page: Page, host: str, served: FilmServer) -> None:
    served.embed_origins = host
    embed(page, host, served)
    answers = page.evaluate(
        """async (origin) => {
          const frame = document.getElementById('film');
          const ask = (call, args, id) => new Promise((resolve) => {
            addEventListener('message', (event) => event.data?.id === id && resolve(event.data));
            frame.contentWindow.postMessage({cloudfilm: 1, id, call, args}, origin);
          });
          return [await ask('frameBytes', [0, 0], 'a'), await ask('setWindow', [NaN, 1], 'b'),
                  await ask('goto', [0, 99], 'c'), await ask('setTool', ['constructor'], 'd')];
        }""",
        served.url,
    )
    assert [("no call" in a["error"], a["id"]) for a in answers[:1]] == [(True, "a")]
    assert "two numbers" in answers[1]["error"]
    assert "no frame 99" in answers[2]["error"]
    assert "no tool" in answers[3]["error"]


def test_other_pages_are_not_heard(page: Page, host: str, served: FilmServer) -> None:
    served.embed_origins = "https://his.example.invalid"
    frame = embed(page, host, served)
    page.evaluate(
        """(origin) => document.getElementById('film').contentWindow
             .postMessage({cloudfilm: 1, id: 1, call: 'goto', args: [0, 0]}, origin)""",
        served.url,
    )
    inner = page.frames[1]
    # a message that is sent later and is heard proves that the first one had its chance
    inner.evaluate(
        "() => new Promise((done) => { addEventListener('message', done, {once: true}); postMessage(1); })"
    )
    assert inner.evaluate("cloudfilm.state().wanted.frame") == 6
    assert frame.locator("#film").get_attribute("data-state") == "ready"
    assert page.locator("#state").inner_text() == "未打开"
