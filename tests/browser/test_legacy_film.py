"""The page for IE11, used in Chromium: scroll, window, zoom, length, series; pictures drawn by the server (E1)."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from access import sessions
from api.application import create_app
from core import db, personal_data
from core.config import Settings
from crypto.keyring import Keyring
from tests.browser.pages import DESK, PHONE, complaints_of, new_page, served
from tests.unit.api import archived, makers
from tests.unit.imaging import dicom_files
from tests.unit.imaging.test_render import colour, colour_file

SLICES = 5


@dataclass
class Site:
    url: str
    exam_id: int
    patient: str


def phantom(number: int) -> bytes:
    pixels = dicom_files.slope(256, 256, -600 + 60 * number)
    pixels[64:192, 64:192] = 100 + 60 * number
    return dicom_files.file(
        pixels,
        number,
        PixelSpacing=["0.5", "0.5"],
        WindowCenter="100",
        WindowWidth="800",
        RescaleSlope="1",
        RescaleIntercept="0",
        SeriesDescription="胸部 平扫 <b>5mm</b>",
        SpecificCharacterSet="ISO_IR 192",
    )


@pytest.fixture(scope="module")
def site(
    session_keyring: Keyring, empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    personal_data.bind(session_keyring)
    home = tmp_path_factory.mktemp("legacy")
    shutil.copyfile(empty_sqlite, home / "pages.db")
    db.connect(f"sqlite:///{home / 'pages.db'}")
    platform = archived.platform(Settings(home=str(home)), session_keyring)
    with db.connection():
        exam = makers.published("CT1")
        archived.archive(platform, exam, [phantom(number) for number in range(1, SLICES + 1)])
        archived.archive(platform, exam, [second_series()])
        patient = sessions.open_patient_session(makers.PHONE, "", 1).token
    app = create_app(platform)
    with served(app) as url:
        yield Site(url, exam.id, patient)
    app.extensions["cloudfilm_renderer"].close()


def second_series() -> bytes:
    """A colour picture in a series of its own."""
    return (
        colour_file("RGB", colour())
        .replace(f"{dicom_files.ROOT}.2".encode(), f"{dicom_files.ROOT}.7".encode())
        .replace(f"{dicom_files.ROOT}.3.1".encode(), f"{dicom_files.ROOT}.8.1".encode())
    )


def opened(chromium: Browser, site: Site, size: dict[str, int] = DESK) -> Page:
    page = new_page(chromium, site.url, site.patient, size)
    page.goto(f"{site.url}/exams/{site.exam_id}/film/legacy")
    until_frame(page, SLICES // 2)
    return page


def until_frame(page: Page, frame: int, series: int = 0) -> None:
    page.wait_for_selector(f'#stage[data-frame="{frame}"][data-series="{series}"]')


def drag(page: Page, tool: str, dx: int, dy: int) -> None:
    page.click(f"[data-tool={tool}]")
    box = page.locator("#stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def window_of(page: Page) -> tuple[int, int]:
    found = re.findall(r"-?\d+", page.inner_text("#window"))
    return int(found[0]), int(found[1])


PIXELS = """() => {
  const image = [...document.querySelectorAll('#stage img')].find((i) => i.style.visibility === 'visible');
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  canvas.getContext('2d').drawImage(image, 0, 0);
  const d = canvas.getContext('2d').getImageData(128, 128, 1, 1).data;
  return [image.naturalWidth, image.naturalHeight, d[0], d[1], d[2]];
}"""


@pytest.mark.requirement("E1", "E12", "E15")
def test_scroll_by_wheel_button_and_drag_shows_that_very_frame(chromium: Browser, site: Site) -> None:
    page = opened(chromium, site)
    complaints = complaints_of(page)
    middle = SLICES // 2
    grey = {}
    for frame in range(SLICES):
        for _ in range(SLICES):
            page.click("[data-act=previous]")
        for _ in range(frame):
            page.click("[data-act=next]")
        until_frame(page, frame)
        width, height, grey[frame], *_ = page.evaluate(PIXELS)
        assert (width, height) == (256, 256)
    for frame, value in grey.items():
        # PS3.3 §C.11.2.1.2: window 800 around 100, value 100 + 60·(frame + 1).
        wanted = ((100 + 60 * (frame + 1) - 99.5) / 799 + 0.5) * 255
        assert abs(value - wanted) <= 4
    page.hover("#stage")
    page.mouse.wheel(0, -100)
    until_frame(page, SLICES - 2)
    drag(page, "scroll", 0, -8 * (SLICES - 2 - middle) - 1)
    until_frame(page, middle)
    assert f"{middle + 1} / {SLICES}" in page.inner_text("#where")
    assert "<b>5mm</b>" in page.inner_text("#where")
    assert complaints == []
    page.context.close()


@pytest.mark.requirement("E1", "E15")
def test_window_zoom_and_reset(chromium: Browser, site: Site) -> None:
    page = opened(chromium, site)
    before = page.evaluate(PIXELS)
    assert window_of(page) == (800, 100)
    drag(page, "window", 0, 40)
    page.wait_for_selector("#window:not(:text('窗位 100'))")
    until = page.locator("#window")
    until.filter(has_text="窗宽 800").wait_for()
    assert window_of(page)[1] > 100
    assert page.evaluate(PIXELS)[2] < before[2], "a higher centre is darker"
    page.select_option("#presets", label="骨")
    until.filter(has_text="窗宽 1800").wait_for()
    width = page.evaluate(
        "document.querySelector('#stage img[style*=visible]').getBoundingClientRect().width"
    )
    page.click("[data-act=larger]")
    larger = page.evaluate(
        "document.querySelector('#stage img[style*=visible]').getBoundingClientRect().width"
    )
    assert larger == pytest.approx(width * 1.25, rel=0.01)
    page.click("[data-act=reset]")
    until.filter(has_text="窗宽 800").wait_for()
    page.context.close()


@pytest.mark.requirement("E1", "E16")
def test_length_is_in_millimetres_of_the_image(chromium: Browser, site: Site, tmp_path: Path) -> None:
    page = opened(chromium, site)
    # The half of the picture's side: 128 pixels of 0.5 mm.
    side = page.evaluate("document.querySelector('#stage img[style*=visible]').getBoundingClientRect().width")
    page.evaluate(
        """() => {
          window.said = [];
          const real = CanvasRenderingContext2D.prototype.fillText;
          CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
            window.said.push(text); return real.call(this, text, ...rest);
          };
        }"""
    )
    drag(page, "length", -round(side / 2) + 2, 0)
    page.screenshot(path=tmp_path / "legacy-desk.png")
    said = page.evaluate("window.said[window.said.length - 1]")
    assert re.fullmatch(r"\d+\.\d mm", said)
    assert float(said.split()[0]) == pytest.approx(64, abs=1.0)
    page.click("[data-act=next]")
    until_frame(page, SLICES // 2 + 1)
    page.evaluate("window.said = []")
    page.click("[data-act=larger]")
    assert page.evaluate("window.said") == [], "a line belongs to its frame"
    page.context.close()


@pytest.mark.requirement("E1", "E12", "E13")
def test_a_thumbnail_opens_its_series_and_colour_has_no_window(
    chromium: Browser, site: Site, tmp_path: Path
) -> None:
    page = opened(chromium, site, PHONE)
    page.locator("#strip button").nth(1).click()
    until_frame(page, 0, series=1)
    assert page.inner_text("#window") == ""
    assert page.locator("#presets").is_disabled()
    page.screenshot(path=tmp_path / "legacy-phone.png")
    assert page.locator("#report").get_attribute("href") == f"/exams/{site.exam_id}"
    page.context.close()


@pytest.mark.requirement("E1")
def test_a_server_that_is_away_is_said_and_the_old_picture_stays(chromium: Browser, site: Site) -> None:
    page = opened(chromium, site)
    page.route("**/film/render?*", lambda route: route.abort())
    page.click("[data-act=next]")
    page.locator("#say").filter(has_text="暂时不能显示").wait_for()
    assert page.locator("#stage").get_attribute("data-frame") == str(SLICES // 2)
    page.unroute("**/film/render?*")
    page.click("[data-act=next]")
    until_frame(page, SLICES // 2 + 2)
    assert page.locator("#say").is_hidden()
    page.context.close()
