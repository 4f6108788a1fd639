"""The list of annotations as a reader uses it: jump, rename, take back, take the picture along."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.film_fixture import DIST, FilmServer, ct_series
from tests.browser.test_film_tools import act, measured
from tests.browser.test_viewer_fixture import Film

NAME = "<img src=x onerror=alert(1)>"

pytestmark = pytest.mark.skipif(
    not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
)


@pytest.fixture
def film(chromium: Browser) -> Iterator[Film]:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, locale="zh-CN", accept_downloads=True
    )
    context.set_default_timeout(20_000)
    with FilmServer([ct_series(6)]).running() as server:
        film = Film(context.new_page()).open(server)
        yield film
        assert film.complaints == []
        context.close()


@pytest.mark.requirement("E16", "E17")
def test_the_list_of_annotations(film: Film, tmp_path: Path) -> None:
    page = film.page
    for frame, tool in enumerate(("length", "ellipse")):
        film.goto(0, frame)
        film.until(f"cloudfilm.state().shown.frame === {frame}")
        act(film, "measure", f"[data-tool={tool}]")
        film.drag(90, 60)
    page.click("[data-action=more]")
    page.click("[data-panel=more] [data-action=marks]")
    rows = page.locator(".annotation-list li")
    assert rows.count() == 2
    assert "序列 1 第 1 幅" in rows.nth(0).inner_text()
    assert "均值" in rows.nth(1).inner_text()
    rows.nth(0).locator("[data-mark=jump]").click()
    film.until("cloudfilm.state().shown.frame === 0")
    rows.nth(0).locator("[data-mark=rename]").click()
    page.fill(".prompt input", NAME)
    page.click(".prompt [type=submit]")
    assert NAME in rows.nth(0).inner_text()
    page.screenshot(path=tmp_path / "marks.png")
    with page.expect_download() as download:
        page.click("[data-mark=image]")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    # who may not save is not offered to
    assert page.locator("[data-mark=save]").count() == 0
    page.click("[data-mark=clear]")
    assert measured(film) == []
    page.click("[data-mark=undo]")
    assert [one["text"] for one in measured(film)] == [NAME, ""]
