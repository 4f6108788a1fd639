"""A rendered volume in the viewer, with WebGL and without: seen, turned, cropped, measured."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.browser.film_fixture import DIST, FilmServer, ct_series, flip_a_bit
from tests.browser.test_film_tools import act, measured
from tests.browser.test_viewer_fixture import Film

SLICES = 24
CARDS = {
    "webgl": ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
    "none": ["--disable-3d-apis"],
}
KINDS = {"webgl": "gl", "none": "cpu"}
VOLUME = "document.querySelector('.volume canvas.image')"
# the middle of the canvas, coarse: places and brightness of what is lit
LIT = """() => {
  const canvas = document.querySelector('.volume canvas.image');
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  let [count, x] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] < 60) continue;
    count++;
    x += (i / 4) % width;
  }
  return { share: count / (width * height), x: x / count / width };
}"""

pytestmark = pytest.mark.skipif(
    not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
)


@pytest.fixture(scope="module")
def served() -> Iterator[FilmServer]:
    with FilmServer([ct_series(SLICES)]).running() as server:
        yield server


@pytest.mark.requirement("K3", "E17")
@pytest.mark.parametrize("card", CARDS)
def test_a_volume_is_seen_turned_cropped_and_measured(
    chromium: Browser, served: FilmServer, card: str, tmp_path: Path
) -> None:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    arguments = [a for a in CHROMIUM_ARGUMENTS if card == "none" or a != "--disable-gpu"] + CARDS[card]
    browser = chromium.browser_type.launch(executable_path=path, args=arguments)
    try:
        page = browser.new_page(viewport={"width": 640, "height": 640})
        film = Film(page).open(served)
        page.click("[data-action=threeD]")
        page.click("[data-action=volume]")  # the panel closes when the volume comes
        film.until("!document.querySelector('[data-panel=threeD]')")
        film.until(f"{VOLUME} && {VOLUME}.dataset.kind === '{KINDS[card]}'")
        film.until("cloudfilm.state().volume.full === cloudfilm.state().volume.total")
        film.until(f"({LIT})().share > 0.005")
        whole = page.evaluate(LIT)
        assert whole["x"] == pytest.approx(0.5, abs=0.02)  # the spine is in the middle
        page.screenshot(path=tmp_path / "volume.png")
        page.click("[data-side=L]")
        film.until(f"({LIT})().x > 0.55")  # seen from the left the back is at the right
        page.click("[data-side=A]")
        film.until(f"Math.abs(({LIT})().x - 0.5) < 0.02")
        act(film, "threeD", "[data-tool=sphere]")
        box = page.locator(".volume canvas.image").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 30, y, steps=3)
        page.mouse.up()
        [sphere] = measured(film)
        page.screenshot(path=tmp_path / "sphere.png")
        sizes = {one["name"]: one["value"] for one in sphere["measured"]}
        assert sizes["volume"] == pytest.approx(4 / 3 * math.pi * sphere["radius"] ** 3)
        page.click("[data-action=crop]")
        page.locator(".volume-panel input[type=range]").nth(1).fill(
            "0.1"
        )  # the right tenth, without the spine
        film.until(f"({LIT})().share < {whole['share'] / 10}")
        page.click("[data-action=reset-volume]")
        # a busy machine's card draws fewer pixels: edges are softer, not elsewhere
        film.until(f"Math.abs(({LIT})().share / {whole['share']} - 1) < 0.3")
        assert film.complaints == []
    finally:
        browser.close()


@pytest.mark.requirement("K3", "E17")
def test_slices_that_do_not_come_are_told_and_the_rest_is_cut(chromium: Browser) -> None:
    with FilmServer([ct_series(SLICES)]).running() as server:
        flip_a_bit(server.series[0], 20)
        page = chromium.new_page(viewport={"width": 640, "height": 640})
        film = Film(page).open(server)
        page.click("[data-action=threeD]")
        page.click("[data-action=mpr]")
        film.until("cloudfilm.state().volume?.failed === 1")
        film.until(f"cloudfilm.state().volume.full === {SLICES - 1}")
        film.until("document.body.innerText.includes('1 层没有取到')")
        page.close()
