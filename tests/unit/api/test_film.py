"""The film: page with preview and manifest, the manifest as JSON, sealed bytes by ranges, other files."""

import base64
import gzip
import json
from typing import Any

import imagecodecs
import numpy as np
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from api import static_files
from api.ranged_response import BLOCK_BYTES
from core.errors import NotAllowed, NotFound, Unavailable
from imaging.pack.pictures import PREVIEW_BYTES
from tests.unit.api import makers
from tests.unit.api.html import json_of, page_of
from workflow import open_film
from workflow.open_film import Film, FilmObject

OBJECT_ID = "0a" * 16
PACK = f"/api/v1/film/packs/{OBJECT_ID}"
SEALED = bytes(range(256)) * (BLOCK_BYTES // 128)  # two blocks
MANIFEST = {
    "version": 2,
    "title": "胸部CT平扫",
    "patient": "张*東 男 41岁",
    "series": [{"packs": []}, {"packs": []}],
}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The ranges that were read of the one object that there is."""
    asked: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return SEALED[start:stop]

    def open_object(_platform: Any, _visitor: Any, object_id: str) -> FilmObject:
        if object_id != OBJECT_ID:
            raise NotFound("no such object")
        return FilmObject(len(SEALED), read)

    monkeypatch.setattr(open_film, "open_object", open_object)
    return asked


@pytest.fixture
def patient(browser: FlaskClient) -> FlaskClient:
    makers.sign_in(browser)
    return browser


@pytest.mark.requirement("K2", "E11", "E12")
def test_page_holds_preview_and_manifest(patient: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    film = Film("胸部CT平扫", MANIFEST, b"RIFF....WEBP")
    monkeypatch.setattr(open_film, "open_film", lambda *_: film)
    answer = patient.get("/exams/7/film", headers={"Accept": "text/html,image/webp,*/*;q=0.8"})
    page = page_of(answer)
    main = page.all("main")[0]
    assert (main["id"], main["data-state"], main["data-series"]) == ("film", "loading", "2")
    assert page.all("img")[0]["src"].startswith("data:image/webp;base64,UklGRi4")
    assert json.loads(page.scripts["film-manifest"]) == MANIFEST
    assert page.all("script")[-1] == {"type": "module", "src": "/static/dist/film.js"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert json_of(patient.get("/api/v1/exams/7/film")) == {"title": film.title, "manifest": MANIFEST}


@pytest.mark.requirement("K1", "K2")
def test_browsers_that_know_no_webp_get_a_jpeg(patient: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (512, 512, 3), np.uint8)
    webp = bytes(imagecodecs.webp_encode(noise, level=1))
    monkeypatch.setattr(open_film, "open_film", lambda *_: Film("x", MANIFEST, webp))
    page = page_of(patient.get("/exams/7/film", headers={"Accept": "text/html, */*"}))
    kind, _, content = page.all("img")[0]["src"].partition(",")
    jpeg = base64.b64decode(content)
    assert (kind, jpeg[:3]) == ("data:image/jpeg;base64", b"\xff\xd8\xff")
    assert len(jpeg) <= PREVIEW_BYTES


@pytest.mark.requirement("K2")
@pytest.mark.parametrize("url", ["/exams/7/film", "/api/v1/exams/7/film"])
def test_page_and_manifest_are_compressed_where_the_caller_takes_it(
    patient: FlaskClient, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    manifest = {**MANIFEST, "documents": [{"title": "x" * 5000}]}
    monkeypatch.setattr(open_film, "open_film", lambda *_: Film("x", manifest, None))
    plain, small = patient.get(url), patient.get(url, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert int(small.headers["Content-Length"]) == len(small.data) < 3000
    assert gzip.decompress(small.data) == plain.data
    assert "Accept-Encoding" in small.headers["Vary"]
    assert small.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("K2")
def test_what_the_first_frame_needs_is_named_behind_the_picture(
    patient: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"modules": ["assets/a-1.js"], "worker": ["assets/w-1.js"], "htj2k": ["assets/h-1.wasm"]}
    monkeypatch.setattr(static_files, "first_files", lambda _: files)
    for codec, fetched in (("htj2k", ["w-1.js", "h-1.wasm"]), ("jpeg", ["w-1.js"])):
        manifest = {**MANIFEST, "series": [{"common": {"codec": codec}}]}
        monkeypatch.setattr(open_film, "open_film", lambda *_, of=manifest: Film("x", of, None))
        page = page_of(patient.get("/exams/7/film"))
        links = [link for link in page.all("link") if link["rel"] in ("preload", "modulepreload")]
        assert [link["href"].rpartition("/")[2] for link in links] == ["a-1.js", *fetched]
        order = [tag for tag, attributes in page.elements if tag == "img" or attributes in links]
        assert order[0] == "img"


@pytest.mark.requirement("K2")
def test_page_without_preview_has_a_hidden_picture(
    patient: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_film, "open_film", lambda *_: Film("x", MANIFEST, None))
    picture = page_of(patient.get("/exams/7/film")).all("img")[0]
    assert "hidden" in picture
    assert "src" not in picture


@pytest.mark.requirement("E9", "E11")
def test_film_that_is_not_yet_open_is_refused_with_words(
    patient: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise NotAllowed("exam 7 is not published yet")

    monkeypatch.setattr(open_film, "open_film", refuse)
    page = patient.get("/exams/7/film")
    assert page.status_code == 403
    assert "尚未开放" in page.get_data(as_text=True)
    assert json_of(patient.get("/api/v1/exams/7/film"))["detail"] == "exam 7 is not published yet"


@pytest.mark.requirement("K2", "P5")
def test_a_range_is_answered_with_its_bytes_for_good(
    patient: FlaskClient, reads: list[tuple[int, int]]
) -> None:
    answer = patient.get(PACK, headers={"Range": "bytes=64-4175"})
    assert (answer.status_code, answer.data) == (206, SEALED[64:4176])
    assert answer.headers["Content-Range"] == f"bytes 64-4175/{len(SEALED)}"
    assert answer.headers["Content-Length"] == "4112"
    assert answer.headers["ETag"] == f'"{OBJECT_ID}"'
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.mimetype == "application/octet-stream"
    assert reads == [(64, 4176)]


@pytest.mark.requirement("K2")
def test_the_whole_object_travels_in_blocks(patient: FlaskClient, reads: list[tuple[int, int]]) -> None:
    answer = patient.get(PACK)
    assert (answer.status_code, answer.data) == (200, SEALED)
    assert reads == [(0, BLOCK_BYTES), (BLOCK_BYTES, len(SEALED))]


@pytest.mark.requirement("K2")
def test_head_tells_the_length_and_reads_nothing(patient: FlaskClient, reads: list[tuple[int, int]]) -> None:
    answer = patient.head(PACK)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(SEALED))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert reads == []


@pytest.mark.requirement("K2")
@pytest.mark.parametrize("header", [f"bytes={len(SEALED)}-", "bytes=0-1,8-9", "bytes=9-8"])
def test_range_outside_is_416_with_the_length(
    patient: FlaskClient, reads: list[tuple[int, int]], header: str
) -> None:
    answer = patient.get(PACK, headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(SEALED)}"
    assert reads == []


@pytest.mark.requirement("K2")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": f'"{OBJECT_ID}"'}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"Range": "bytes=0-9", "If-Range": f'"{OBJECT_ID}"'}, 206),
        ({"Range": "bytes=0-9", "If-Range": '"other"'}, 200),
    ],
)
def test_a_known_object_is_not_sent_again(
    patient: FlaskClient, reads: list[tuple[int, int]], headers: dict[str, str], status: int
) -> None:
    assert patient.get(PACK, headers=headers).status_code == status
    assert bool(reads) is (status != 304)


@pytest.mark.requirement("K2")
def test_store_that_is_away_is_503(patient: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_start: int, _stop: int) -> bytes:
        raise Unavailable("the store does not answer")

    monkeypatch.setattr(open_film, "open_object", lambda *_: FilmObject(100, read))
    answer = patient.get(PACK, headers={"Range": "bytes=0-9"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("K2")
@pytest.mark.usefixtures("reads")
@pytest.mark.parametrize("name", ["00" * 16, "..%2f..%2fkeyring.json", "x"])
def test_other_objects_do_not_exist(patient: FlaskClient, name: str) -> None:
    assert patient.get(f"/api/v1/film/packs/{name}").status_code == 404


@pytest.mark.requirement("K5")
@pytest.mark.parametrize("number", [0, 2**63, 10**30])
def test_numbers_that_no_exam_can_have(patient: FlaskClient, number: int) -> None:
    for url in (
        f"/exams/{number}/film",
        f"/exams/{number}/documents/1.2",
        f"/api/v1/exams/{number}/annotations",
    ):
        assert patient.get(url).status_code == 404


@pytest.mark.requirement("E11")
def test_files_that_are_no_pictures_are_handed_out_safely(
    patient: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_film, "read_file", lambda *_: ("text/html", b"<script>"))
    answer = patient.get("/api/v1/exams/7/files/1.2.3")
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="exam-7-file.bin"'


@pytest.mark.requirement("F6")
def test_bearer_token_opens_without_cookie(app: APIFlask, reads: list[tuple[int, int]]) -> None:
    new = makers.sign_in(app.test_client())
    other = app.test_client()
    headers = {"Authorization": f"Bearer {new.token}", "Range": "bytes=0-0"}
    assert other.get(PACK, headers=headers).status_code == 206
    assert other.get(PACK, headers={**headers, "Authorization": "Bearer x"}).status_code == 401
    assert reads == [(0, 1)]
