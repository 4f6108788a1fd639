"""The built viewer in a real browser, on a film that was made and sealed here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.browser.film_fixture import (
    DIST,
    FLIPPED_FRAME,
    FilmServer,
    codec_series,
    ct_series,
    flip_a_bit,
    hostile_series,
)

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
SLICES = 24
CT, CODECS, HOSTILE = range(3)
DEADLINE_MS = 20_000

pytestmark = pytest.mark.skipif(
    not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
)


@pytest.fixture(scope="module")
def film() -> Iterator[FilmServer]:
    server = FilmServer([ct_series(SLICES), codec_series(), hostile_series()])
    flip_a_bit(server.series[HOSTILE], FLIPPED_FRAME)
    with server.running():
        yield server


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=PHONE, device_scale_factor=2, has_touch=True, locale="zh-CN")
    context.set_default_timeout(DEADLINE_MS)
    yield context
    context.close()


class Film:
    """The page under test: what a reader does, and what the control API answers."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def open(self, server: FilmServer) -> "Film":
        self.page.goto(f"{server.url}/film")
        self.until("document.documentElement.dataset.firstFrame")
        return self

    def until(self, condition: str) -> None:
        """Wait for a condition. Playwright's own way is an eval, which the page's policy forbids."""
        came = self.page.evaluate(
            f"""async () => {{
              const deadline = performance.now() + {DEADLINE_MS};
              while (!({condition})) {{
                if (performance.now() > deadline) return false;
                await new Promise(requestAnimationFrame);
              }}
              return true;
            }}"""
        )
        assert came, f"{condition} did not come true; the film is {self.state()}, it said {self.complaints}"

    def state(self) -> dict[str, Any]:
        return self.page.evaluate("cloudfilm.state()")

    def goto(self, series: int, frame: int) -> None:
        self.page.evaluate("([s, f]) => cloudfilm.goto(s, f)", [series, frame])

    def pixels(self) -> str:
        return self.page.evaluate("cloudfilm.pixelDigest()")

    def choose(self, tool: str) -> None:
        self.page.click(f"[data-tool={tool}]")

    def drag(self, dx: int, dy: int, button: Literal["left", "right"] = "left") -> None:
        self.drag_in(0, dx, dy, button)

    def drag_in(self, cell: int, dx: int, dy: int, button: Literal["left", "right"] = "left") -> None:
        """Drag from the middle of a cell's picture."""
        box = self.page.locator("canvas.image").nth(cell).bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down(button=button)
        self.page.mouse.move(x + dx / 2, y + dy / 2)
        self.page.mouse.move(x + dx, y + dy)
        self.page.mouse.up(button=button)


@pytest.fixture
def opened(film: FilmServer, context: BrowserContext) -> Film:
    return Film(context.new_page()).open(film)


def frames_of(server: FilmServer) -> list[tuple[int, int]]:
    return [
        (s, f)
        for s, series in enumerate(server.series)
        for f, frame in enumerate(series.frames)
        if frame.samples is not None
    ]


@pytest.mark.requirement("S1", "K1", "K2", "E12")
def test_every_frame_decodes_to_the_samples_it_was_made_from(film: FilmServer, opened: Film) -> None:
    wanted = {(s, f): film.series[s].frames[f].digest for s, f in frames_of(film)}
    got = {key: opened.page.evaluate("([s, f]) => cloudfilm.frameBytes(s, f)", list(key)) for key in wanted}
    assert got == wanted
    assert opened.complaints == []


@pytest.mark.requirement("K2")
def test_the_preview_gives_way_to_the_first_frame(opened: Film, tmp_path: Path) -> None:
    page = opened.page
    assert opened.state()["shown"] == {"series": CT, "frame": SLICES // 2}
    assert page.locator("#film").get_attribute("data-state") == "ready"
    assert page.locator("#preview").is_hidden()
    assert page.evaluate("performance.getEntriesByName('film:first-frame').length") == 1
    assert page.locator("[data-skeleton]").count() == 0
    page.screenshot(path=tmp_path / "phone.png")
    assert opened.complaints == []


@pytest.mark.requirement("K2")
def test_preview_and_canvas_stand_in_the_same_place(opened: Film) -> None:
    boxes = opened.page.evaluate(
        """() => {
          const preview = document.getElementById('preview');
          preview.hidden = false;
          const box = (e) => { const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; };
          return [box(preview), box(document.querySelector('canvas'))];
        }"""
    )
    assert boxes[0] == boxes[1]


@pytest.mark.requirement("E15", "D4")
@pytest.mark.parametrize("tool", ["scroll", "pan", "zoom", "window"])
def test_each_tool_changes_the_picture(opened: Film, tool: str) -> None:
    before, state = opened.pixels(), opened.state()
    opened.choose(tool)
    opened.drag(30, -90)
    opened.until("cloudfilm.state().shown?.frame === cloudfilm.state().wanted.frame")
    after = opened.state()
    changed = {key for key in ("shown", "view", "window") if after[key] != state[key]}
    assert changed == {"scroll": {"shown"}, "pan": {"view"}, "zoom": {"view"}, "window": {"window"}}[tool]
    assert opened.pixels() != before


@pytest.mark.requirement("E15")
def test_wheel_keys_and_right_button(opened: Film) -> None:
    middle = SLICES // 2
    opened.page.mouse.move(200, 300)
    opened.page.mouse.wheel(0, 100)
    opened.until(f"cloudfilm.state().shown.frame === {middle + 1}")
    opened.page.keyboard.press("ArrowUp")
    opened.page.keyboard.press("ArrowUp")
    opened.until(f"cloudfilm.state().shown.frame === {middle - 1}")
    opened.page.keyboard.press("End")
    opened.until(f"cloudfilm.state().shown.frame === {SLICES - 1}")
    opened.drag(40, 0, button="right")
    assert opened.state()["window"]["width"] > 400
    opened.page.click("[data-action=reset]")
    assert opened.state()["window"] == {"center": 40, "width": 400}


@pytest.mark.requirement("E15", "K1")
def test_two_fingers_zoom_and_move(opened: Film) -> None:
    devtools = opened.page.context.new_cdp_session(opened.page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        devtools.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]},
        )

    before = opened.pixels()
    touch("touchStart", (160, 400))
    touch("touchStart", (160, 400), (240, 400))
    touch("touchMove", (120, 430), (280, 430))
    touch("touchEnd")
    opened.until("cloudfilm.state().view.zoom > 1.9")
    assert opened.state()["view"]["zoom"] == pytest.approx(2, rel=0.01)
    assert opened.state()["shown"]["frame"] == SLICES // 2
    assert opened.pixels() != before


@pytest.mark.requirement("E15", "K1")
def test_one_finger_pages_through_the_stack(opened: Film) -> None:
    devtools = opened.page.context.new_cdp_session(opened.page)
    for kind, y in [("touchStart", 400), ("touchMove", 440), ("touchMove", 480)]:
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": 200, "y": y}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    opened.until(f"cloudfilm.state().shown.frame > {SLICES // 2}")
    assert opened.state()["view"]["zoom"] == 1


@pytest.mark.requirement("E15")
def test_a_window_by_name(opened: Film) -> None:
    opened.page.click("[data-action=presets]")
    opened.page.click("text=骨")
    assert opened.state()["window"] == {"center": 400, "width": 1800}
    assert "W 1800" in opened.page.inner_text("[data-window]")


@pytest.mark.requirement("E12", "E13")
def test_a_thumbnail_opens_its_series_and_colour_has_no_window(opened: Film) -> None:
    opened.page.click('[data-series="1.2.3.1"]')
    opened.until("cloudfilm.state().shown?.series === 1")
    opened.goto(CODECS, 6)
    assert opened.state()["window"] is None
    assert opened.page.locator("[data-action=presets]").is_disabled()
    assert opened.complaints == []


@pytest.mark.requirement("K2", "K5")
def test_a_second_open_brings_no_pixels(film: FilmServer, context: BrowserContext) -> None:
    first = Film(context.new_page()).open(film)
    first.until(f"cloudfilm.state().loaded === {SLICES}")
    assert first.state()["fetched"] > 0
    first.until(
        f"""await (async () => {{
          const open = indexedDB.open('cloudfilm-ranges');
          const db = await new Promise((done) => {{ open.onsuccess = () => done(open.result); }});
          const count = db.transaction('runs').objectStore('runs').count();
          return await new Promise((done) => {{ count.onsuccess = () => done(count.result >= {SLICES}); }});
        }})()"""
    )
    first.page.close()
    asked = len(film.range_requests)
    second = Film(context.new_page()).open(film)
    second.until(f"cloudfilm.state().loaded === {SLICES}")
    assert second.state()["fetched"] == 0
    assert len(film.range_requests) == asked


@pytest.mark.requirement("H2", "K5")
def test_what_cannot_be_shown_is_said_and_never_drawn(film: FilmServer, opened: Film, tmp_path: Path) -> None:
    before = opened.pixels()
    drawn = set()
    for frame, kind in enumerate(["unsupported", "broken", "damaged"]):
        opened.goto(HOSTILE, frame)
        assert opened.state()["fault"] == kind
        assert opened.page.locator(f"[data-fault={kind}]").is_visible()
        assert opened.state()["shown"] is None  # nor what was there before, under the name of this series
        drawn.add(opened.pixels())
    opened.page.screenshot(path=tmp_path / "fault.png")
    assert len(drawn) == 1
    assert before not in drawn
    opened.goto(CT, 0)
    assert opened.state()["fault"] is None
    assert opened.page.locator("#film").get_attribute("data-state") == "ready"


@pytest.mark.requirement("K1")
def test_a_line_that_fails_can_be_tried_again(film: FilmServer, context: BrowserContext) -> None:
    page = Film(context.new_page())
    film.is_down = True
    try:
        page.page.goto(f"{film.url}/film")
        page.page.wait_for_selector("[data-fault=network]")
        assert page.page.locator("#preview").is_visible()
    finally:
        film.is_down = False
    page.page.click("[data-fault=network] button")
    page.until("document.documentElement.dataset.firstFrame")
    assert page.state()["fault"] is None


@pytest.mark.requirement("K1")
def test_a_film_without_pictures_says_so(film: FilmServer, context: BrowserContext) -> None:
    page = Film(context.new_page())
    page.page.goto(f"{film.url}/empty")
    page.page.wait_for_selector("#film[data-state=empty]")
    assert "没有可以显示的图像" in page.page.inner_text("#film")
    assert page.complaints == []


@pytest.mark.requirement("K1")
def test_a_wide_screen(film: FilmServer, chromium: Browser, tmp_path: Path) -> None:
    page = Film(chromium.new_page(viewport=DESKTOP)).open(film)
    page.page.screenshot(path=tmp_path / "desktop.png")
    strip = page.page.locator(".strip").bounding_box()
    stage = page.page.locator("canvas.image").bounding_box()
    assert strip is not None and stage is not None
    assert strip["x"] + strip["width"] <= stage["x"]
    page.page.close()
