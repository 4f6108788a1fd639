"""What stands for whom: the preview for the first frame alone, the patient's name whole and the right way round."""

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.film_fixture import DIST, FilmServer, ct_series
from tests.browser.test_viewer_fixture import Film

pytestmark = pytest.mark.skipif(
    not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
)


@pytest.mark.requirement("K1")
def test_preview_is_seen_until_the_frame_comes_and_for_no_other(chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    with FilmServer([ct_series(3), ct_series(2)]).running() as server:
        server.is_down = True  # the viewer asks again and again, and nothing comes
        page = context.new_page()
        page.goto(f"{server.url}/film")
        film = Film(page)
        film.until("document.querySelector('canvas.image')?.width > 300")
        assert page.get_attribute("#film", "data-state") == "loading"
        shot = Image.open(io.BytesIO(page.screenshot())).convert("L")
        assert max(shot.crop((150, 250, 240, 560)).getdata()) > 200
        page.evaluate("cloudfilm.openSeries(1)")
        assert page.locator("#preview").is_hidden()
        assert page.inner_text("[data-slice]") == "2/2"
        server.is_down = False
        film.until("cloudfilm.state().shown?.series === 1")
    context.close()


class OddlyNamed(FilmServer):
    def manifest(self) -> dict[str, Any]:
        return super().manifest() | {"title": "胸部\u202eCT平扫、增强、三维重建、冠状动脉、肺动脉血管造影"}


@pytest.mark.requirement("K1")
def test_a_patient_is_named_whole_and_the_right_way_round(chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    with OddlyNamed([ct_series(1)]).running() as server:
        page = context.new_page()
        page.goto(f"{server.url}/film")
        page.wait_for_selector(".who span")
        # "珅* 男 41岁": where each letter stands on the screen
        lefts = page.evaluate("""() => {
          const text = document.querySelector('.who span').firstChild;
          return [...text.data].map((_, i) => {
            const range = document.createRange();
            range.setStart(text, i);
            range.setEnd(text, i + 1);
            return range.getBoundingClientRect().left;
          });
        }""")
        assert lefts == sorted(lefts)
        documents = page.locator(".documents").bounding_box()
        assert documents
        assert lefts[-1] + 14 <= documents["x"]
    context.close()
