"""Every tool of the viewer, used as a reader uses it: on a phone by touch, on a tablet, on a PC by mouse and keys."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize

from tests.browser.film_fixture import DIST, FilmServer, ct_series
from tests.browser.test_viewer_fixture import Film

SCREENS: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "tablet": {"width": 820, "height": 1180},
    "pc": {"width": 1280, "height": 800},
}
SLICES = 24
SMALL_BUTTONS = """() => [...document.querySelectorAll('#film button')].filter((one) => one.offsetParent)
  .map((one) => [one.textContent, one.getBoundingClientRect().height]).filter(([, height]) => height < 44)"""

pytestmark = pytest.mark.skipif(
    not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
)


@pytest.fixture(scope="module")
def served() -> Iterator[FilmServer]:
    with FilmServer([ct_series(SLICES), ct_series(6)]).running() as server:
        yield server


@pytest.fixture(params=SCREENS)
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    size = SCREENS[request.param]
    context = chromium.new_context(viewport=size, has_touch=request.param != "pc", locale="zh-CN")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def film(served: FilmServer, context: BrowserContext) -> Iterator[Film]:
    film = Film(context.new_page()).open(served)
    yield film
    assert film.complaints == []


def act(film: Film, panel: str, action: str) -> None:
    """Press a button of a panel; the panel is closed afterwards."""
    button = f"[data-panel={panel}] {action}"
    if not film.page.locator(f"[data-panel={panel}]").count():
        film.page.click(f"[data-action={panel}]")
    film.page.click(button)
    if film.page.locator(f"[data-panel={panel}]").count():
        film.page.click(f"[data-action={panel}]")


def measured(film: Film) -> list[dict[str, Any]]:
    return film.page.evaluate("cloudfilm.annotations().annotations")


@pytest.mark.requirement("K1", "E14", "E15", "E18", "E19")
def test_looking(film: Film, tmp_path: Path) -> None:
    upright = film.pixels()
    act(film, "more", "[data-action=rotate-right]")
    assert film.state()["view"]["rotation"] == 90
    act(film, "more", "[data-action=flip-across]")
    act(film, "more", "[data-action=invert]")
    assert film.state()["inverted"]
    turned = film.pixels()
    assert turned != upright
    film.page.click("[data-action=reset]")
    assert film.pixels() == upright
    act(film, "more", "[data-tool=magnifier]")
    box = film.page.locator("canvas.image").bounding_box()
    assert box is not None
    film.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    film.page.mouse.down()
    film.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    assert film.pixels() != upright
    film.page.mouse.up()
    assert film.pixels() == upright
    act(film, "presets", "button:text-is('骨')")
    assert film.state()["window"] == {"center": 400, "width": 1800}
    act(film, "more", "[data-action=cine]")
    first = film.state()["wanted"]["frame"]
    film.until(f"cloudfilm.state().shown.frame > {first + 2}")
    film.page.click("[data-action=cine-stop]")
    assert film.page.evaluate(SMALL_BUTTONS) == []
    film.page.click("[data-action=more]")
    assert film.page.evaluate(SMALL_BUTTONS) == []
    film.page.screenshot(path=tmp_path / "looking.png")


@pytest.mark.requirement("E14", "E18", "E19", "F8")
def test_layouts(film: Film, tmp_path: Path) -> None:
    act(film, "layout", "[data-layout=stack-1x2]")
    film.until("cloudfilm.state().cells.every(({kind}) => kind === 'stack')")
    assert [cell["series"] for cell in film.state()["cells"]] == [0, 1]
    # both series lie in one frame of reference, slices 5 mm apart: a place in the one is a slice of the other
    act(film, "more", "[data-tool=locate]")
    film.goto(0, 4)
    box = film.page.locator("canvas.image").first.bounding_box()
    assert box is not None
    film.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    film.until("cloudfilm.state().cells[1].frame === 4")
    act(film, "more", "[data-action=link]")
    film.goto(0, 2)
    film.until("cloudfilm.state().cells[1].frame === 2")
    film.page.screenshot(path=tmp_path / "layouts.png")
    act(film, "layout", "[data-layout=sheet-2x3]")
    film.until("cloudfilm.state().cells.length === 6 && cloudfilm.state().cells.every((c) => c.series === 0)")
    frames = [cell["frame"] for cell in film.state()["cells"]]
    assert frames == list(range(frames[0], frames[0] + 6))
    film.page.evaluate("cloudfilm.setWindow(-600, 1500)")
    film.page.screenshot(path=tmp_path / "sheet.png")
    film.page.evaluate("cloudfilm.setLayout(4, 4, 'stack')")
    assert len(film.state()["cells"]) == 16


@pytest.mark.requirement("F8")
def test_comparing_with_an_earlier_exam(film: Film, tmp_path: Path) -> None:
    film.goto(0, 10)
    film.page.click("[data-action=more]")
    film.page.click("[data-action=history]")
    film.page.click("[data-exam='7']")
    film.until("cloudfilm.state().cells.length === 2 && cloudfilm.state().cells[1].kind === 'stack'")
    assert film.state()["cells"][1] == {"kind": "stack", "series": 2, "frame": 10}
    # another frame of reference: the same way on from where both stand
    film.goto(0, 15)
    film.until("cloudfilm.state().cells[1].frame === 15")
    film.until("document.querySelectorAll('.thumbnail[data-prior=true]').length === 2")
    film.page.screenshot(path=tmp_path / "history.png")


@pytest.mark.requirement("E16")
@pytest.mark.parametrize("turn", [90])
def test_measuring(film: Film, turn: int, tmp_path: Path) -> None:
    film.page.evaluate(f"cloudfilm.setView({{rotation: {turn}}})")
    for frame, tool in enumerate(("length", "ellipse", "rectangle", "arrow")):
        film.goto(0, frame)
        film.until(f"cloudfilm.state().shown.frame === {frame}")
        act(film, "measure", f"[data-tool={tool}]")
        film.drag(60, 45)
    film.page.fill(".prompt input", "<img src=x onerror=alert(1)>")
    film.page.click(".prompt [type=submit]")
    drawn = measured(film)
    assert [one["kind"] for one in drawn] == ["length", "ellipse", "rectangle", "arrow"]
    [length] = [m["value"] for m in drawn[0]["measured"] if m["name"] == "length"]
    (x0, y0), (x1, y1) = drawn[0]["points"]
    # 0.97 mm a pixel, and the drag was 75 CSS pixels long, whichever way the picture is turned
    assert length == pytest.approx(0.97 * ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
    size = film.page.locator("canvas.image").bounding_box()
    assert size is not None
    assert length == pytest.approx(75 * 0.97 * 256 / min(size["width"], size["height"]), rel=0.03)
    names = {m["name"] for m in drawn[1]["measured"]}
    assert {"area", "mean", "sd", "min", "max"} <= names
    film.page.keyboard.press("Control+z")
    assert len(measured(film)) == 3
    film.page.screenshot(path=tmp_path / "measuring.png")


@pytest.mark.requirement("K3", "E17", "E20")
def test_three_dimensions(film: Film, tmp_path: Path) -> None:
    act(film, "threeD", "[data-action=mpr]")
    film.until("cloudfilm.state().volume && cloudfilm.state().volume.full === cloudfilm.state().volume.total")
    assert [cell["kind"] for cell in film.state()["cells"]] == ["mpr", "mpr", "mpr", "volume"]
    single = film.pixels()
    act(film, "threeD", "[data-slab='20']")
    act(film, "threeD", "[data-blend=max]")
    assert film.state()["cells"][0]["cut"] | {"centre": 0, "right": 0, "down": 0} == {
        "slab_mm": 20,
        "blend": "max",
        "centre": 0,
        "right": 0,
        "down": 0,
    }
    assert film.pixels() != single
    act(film, "threeD", "[data-action=tilt-down]")
    assert film.state()["cells"][0]["cut"]["down"][2] != 0
    act(film, "threeD", "[data-plane=axial]")
    film.page.screenshot(path=tmp_path / "mpr.png")
    act(film, "threeD", "[data-tool=sphere]")
    film.drag(0, 30)
    film.page.evaluate("cloudfilm.activate(1)")
    act(film, "measure", "[data-tool=length]")
    film.drag_in(1, 20, 10)
    drawn = measured(film)
    assert [one["kind"] for one in drawn] == ["sphere", "length"]
    radius = drawn[0]["radius"]
    sizes = {one["name"]: one["value"] for one in drawn[0]["measured"]}
    assert sizes["volume"] == pytest.approx(4 / 3 * math.pi * radius**3)
    assert {"mean", "sd", "min", "max"} <= set(sizes)
    assert drawn[1]["measured"][0]["unit"] == "mm"
    film.page.screenshot(path=tmp_path / "sphere.png")
    act(film, "threeD", "[data-action=close-3d]")
    assert film.state()["cells"][0]["kind"] == "stack"
