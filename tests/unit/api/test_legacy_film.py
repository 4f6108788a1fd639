"""The film for IE11: the page, its pictures, who may have them, and what they may cost."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import imagecodecs
import peewee
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from access.otp import TooMany
from api.application import create_app
from core.config import Settings
from core.errors import Unavailable
from core.models import AuditEvent, Exam
from crypto.keyring import Keyring
from tests.unit.api import archived, makers
from tests.unit.api.html import page_of
from tests.unit.imaging import dicom_files
from workflow.render_frame import BURST, MOST_WAITING, WAIT_SECONDS, Asked, Renderer

SERIES, SOP = f"{dicom_files.ROOT}.2", f"{dicom_files.ROOT}.3.1"


@pytest.fixture
def film(
    settings: Settings, keyring: Keyring, memory_database: peewee.Database
) -> Iterator[tuple[APIFlask, Exam]]:
    platform = archived.platform(settings, keyring)
    app = create_app(platform)
    exam = makers.published()
    files = [
        dicom_files.file(
            dicom_files.slope(60, 80, 100 * number),
            number,
            WindowCenter="100",
            WindowWidth="400",
            PixelSpacing=["0.5", "0.5"],
            SeriesDescription="<img src=x onerror=alert(1)>",
        )
        for number in (1, 2, 3)
    ]
    archived.archive(platform, exam, files)
    yield app, exam
    renderer = app.extensions.get("cloudfilm_renderer")
    if renderer is not None:
        renderer.close()


@pytest.fixture
def patient(film: tuple[APIFlask, Exam]) -> FlaskClient:
    client = film[0].test_client()
    makers.sign_in(client)
    return client


def picture_of(client: FlaskClient, exam: Exam, **query: Any) -> Any:
    asked = {"series": SERIES, "instance": SOP, "frame": 1, "size": 1024, **query}
    return client.get(f"/exams/{exam.id}/film/render", query_string=asked)


@pytest.mark.requirement("E1", "E11", "F10")
def test_page_tells_frames_and_no_key(film: tuple[APIFlask, Exam], patient: FlaskClient) -> None:
    _, exam = film
    answer = patient.get(f"/exams/{exam.id}/film/legacy")
    page = page_of(answer)
    data = json.loads(page.scripts["film-data"])
    (series,) = data["series"]
    assert (series["uid"], series["count"], data["first"]) == (SERIES, 3, {"series": 0, "frame": 1})
    assert series["prefix"] + series["columns"]["instance"][0] == SOP
    assert series["common"]["spacing"] == [0.5, 0.5]
    assert series["thumbnail"].startswith("data:image/jpeg;base64,/9j/")
    source = answer.get_data(as_text=True)
    assert "<img src=x" not in source
    assert '"packs"' not in source
    assert '"key"' not in source
    assert "Chrome、Edge、Firefox 或微信" in page.text
    assert {"href": f"/exams/{exam.id}", "id": "report"} in page.all("a")
    assert all("style" not in attributes for _, attributes in page.elements)
    assert AuditEvent.select().order_by(AuditEvent.seq.desc()).first().action == "open_film"


@pytest.mark.requirement("E1", "E15")
def test_a_picture_has_the_window_and_size_asked_for(
    film: tuple[APIFlask, Exam], patient: FlaskClient
) -> None:
    _, exam = film
    answer = picture_of(patient, exam)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"
    usual = imagecodecs.jpeg8_decode(answer.data)
    assert usual.shape == (60, 80)
    narrow = imagecodecs.jpeg8_decode(picture_of(patient, exam, center=100, width=50, size=64).data)
    assert narrow.shape == (48, 64)
    assert narrow.std() > usual.std()
    other = imagecodecs.jpeg8_decode(picture_of(patient, exam, instance=f"{dicom_files.ROOT}.3.3").data)
    assert other.mean() > usual.mean()


@pytest.mark.requirement("K5")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"series": "1.2.3"}, 404),
        ({"instance": "1.2.3"}, 404),
        ({"frame": 2}, 404),
        ({"frame": "x"}, 422),
        ({"frame": "٣"}, 422),
        ({"center": "nan", "width": 5}, 422),
        ({"center": 1, "width": "inf"}, 422),
        ({"center": 1, "width": 0}, 422),
        ({"center": "", "width": 5}, 422),
        ({"size": 99999}, 200),
        ({"size": "9" * 40}, 422),
    ],
)
def test_nonsense_gives_no_picture(
    film: tuple[APIFlask, Exam], patient: FlaskClient, query: dict[str, Any], status: int
) -> None:
    assert picture_of(patient, film[1], **query).status_code == status


@pytest.mark.requirement("F9", "K5")
def test_others_get_neither_page_nor_picture(film: tuple[APIFlask, Exam], patient: FlaskClient) -> None:
    app, exam = film
    other = app.test_client()
    makers.sign_in(other, makers.OTHER_PHONE)
    assert picture_of(other, exam).status_code == 404
    assert other.get(f"/exams/{exam.id}/film/legacy").status_code == 404
    nobody = app.test_client()
    assert (
        nobody.get(f"/exams/{exam.id}/film/legacy").headers["Location"]
        == f"/login?next=%2Fexams%2F{exam.id}%2Ffilm%2Flegacy"
    )
    Exam.update(published_at=None).execute()
    assert picture_of(patient, exam).status_code == 403


@pytest.mark.requirement("K5")
def test_a_session_asks_only_so_often() -> None:
    renderer = Renderer()
    for _ in range(BURST):
        renderer.require_allowed(1)
    with pytest.raises(TooMany):
        for _ in range(BURST):
            renderer.require_allowed(1)
    renderer.require_allowed(2)


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


FACTS = {
    "codec": "raw",
    "rows": 8,
    "columns": 8,
    "samples": 1,
    "bits_allocated": 8,
    "bits_stored": 8,
    "signed": False,
    "photometric": "MONOCHROME2",
    "slope": 1.0,
    "intercept": 0.0,
    "center": [],
    "width": [],
}
ASKED = Asked("1", "1", 1, None, 64)


@pytest.mark.requirement("E1")
def test_a_drawing_process_that_was_killed_is_replaced(renderer: Renderer) -> None:
    assert renderer.draw(bytes(64), FACTS, [], ASKED)
    assert renderer._processes is not None
    child = renderer._processes._workers[0]._process
    child.kill()
    child.join()
    with pytest.raises(Unavailable):
        renderer.draw(bytes(64), FACTS, [], ASKED)
    assert renderer.draw(bytes(64), FACTS, [], ASKED)


@pytest.mark.requirement("K5")
def test_few_wait_for_the_drawing_process(renderer: Renderer) -> None:
    """Who waits holds a thread of the web process: beyond a few they are sent away at once."""
    with renderer._turn:
        waiting = [
            threading.Thread(target=renderer.draw, args=(bytes(64), FACTS, [], ASKED))
            for _ in range(MOST_WAITING)
        ]
        for thread in waiting:
            thread.start()
        while renderer._waiting.acquire(blocking=False):
            renderer._waiting.release()
        before = time.monotonic()
        with pytest.raises(Unavailable):
            renderer.draw(bytes(64), FACTS, [], ASKED)
        assert time.monotonic() - before < WAIT_SECONDS / 2
    for thread in waiting:
        thread.join()


@pytest.mark.requirement("E1")
def test_the_film_page_sends_old_browsers_there(film: tuple[APIFlask, Exam], patient: FlaskClient) -> None:
    page = page_of(patient.get(f"/exams/{film[1].id}/film"))
    assert {"nomodule": "", "src": "/static/legacy/go.js"} in page.all("script")
    assert patient.get("/static/legacy/go.js").status_code == 200
