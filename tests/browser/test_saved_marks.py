"""A doctor's annotation through the real server: saved to the exam, seen by the next reader, exported as DICOM SR (E16)."""

import secrets
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser
from pydicom.dataset import Dataset

from access import sessions
from access.staff import create_staff
from api.application import create_app
from core import db, personal_data
from core.config import Settings
from crypto.keyring import Keyring
from tests.browser.film_fixture import DIST
from tests.browser.pages import DESK, new_page, served
from tests.browser.test_film_tools import act, measured
from tests.browser.test_legacy_film import phantom
from tests.browser.test_viewer_fixture import Film
from tests.unit.api import archived, makers

pytestmark = pytest.mark.skipif(
    not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
)


@pytest.fixture
def reading(
    session_keyring: Keyring, empty_sqlite: Path, tmp_path: Path, chromium: Browser
) -> Iterator[tuple[Film, Film, str]]:
    """Two doctors' pages and the address of one film."""
    personal_data.bind(session_keyring)
    shutil.copyfile(empty_sqlite, tmp_path / "pages.db")
    db.connect(f"sqlite:///{tmp_path / 'pages.db'}")
    platform = archived.platform(Settings(home=str(tmp_path)), session_keyring)
    with db.connection():
        exam = makers.published("CT1")
        archived.archive(platform, exam, [phantom(number) for number in range(1, 4)])
        tokens = [
            sessions.open_staff_session(
                create_staff(name, name, "doctor", secrets.token_urlsafe(16)), 1
            ).token
            for name in ("doctor-a", "doctor-b")
        ]
    app = create_app(platform)
    with served(app) as url:
        pages = [new_page(chromium, url, token, DESK) for token in tokens]
        yield Film(pages[0]), Film(pages[1]), f"{url}/exams/{exam.id}/film"
        for page in pages:
            page.context.close()


def open_marks(film: Film, url: str) -> None:
    film.page.goto(url)
    film.until("document.documentElement.dataset.firstFrame")
    film.page.click("[data-action=more]")
    film.page.click("[data-panel=more] [data-action=marks]")


def numbers_of(item: Dataset) -> Iterator[Dataset]:
    """The NUM items of a document's tree."""
    if item.get("ValueType") == "NUM":
        yield item
    for inner in item.get("ContentSequence", []):
        yield from numbers_of(inner)


@pytest.mark.requirement("E16", "E17", "P5")
def test_a_length_is_saved_seen_by_the_next_reader_and_exported(reading: tuple[Film, Film, str]) -> None:
    first, second, url = reading
    open_marks(first, url)
    act(first, "measure", "[data-tool=length]")
    first.drag(100, 0)
    [length] = measured(first)
    first.page.click("[data-action=measure]")
    first.page.click("[data-action=more]")
    first.page.click("[data-panel=more] [data-action=marks]")
    first.page.click("[data-mark=save]")
    first.until("document.querySelector('[data-mark=save]').disabled")

    open_marks(second, url)
    second.until("cloudfilm.annotations().annotations.length === 1")
    [seen] = measured(second)
    assert (seen["uid"], seen["measured"]) == (length["uid"], length["measured"])
    with second.page.expect_download() as download:
        second.page.click("[data-mark=sr]")
    report = pydicom.dcmread(BytesIO(Path(download.value.path()).read_bytes()))
    value = next(one["value"] for one in length["measured"] if one["name"] == "length")
    assert report.Modality == "SR"
    assert pytest.approx(value, rel=1e-4) in [
        float(item.MeasuredValueSequence[0].NumericValue) for item in numbers_of(report)
    ]
    assert first.complaints == second.complaints == []
