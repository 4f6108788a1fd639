"""Built files come compressed where the browser takes it, and stay cacheable."""

import gzip
import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import static_files

SCRIPT = b"let film = 1;\n" * 200
ZIPPED = gzip.compress(SCRIPT, mtime=0)


@pytest.fixture
def site(tmp_path: Path) -> FlaskClient:
    folder = tmp_path / "static"
    (folder / "dist").mkdir(parents=True)
    (folder / "dist" / "film.js").write_bytes(SCRIPT)
    (folder / "dist" / "film.js.br").write_bytes(b"brotli of it")
    (folder / "dist" / "film.js.gz").write_bytes(ZIPPED)
    (folder / "dist" / "plain.js").write_bytes(SCRIPT)
    (tmp_path / "secret.txt.gz").write_bytes(b"no")
    app = Flask("site", static_folder=str(folder))
    static_files.install(app)
    return app.test_client()


@pytest.mark.requirement("K1", "K2")
@pytest.mark.parametrize(
    ("accepted", "encoding", "content"),
    [
        ("gzip, deflate, br", "br", b"brotli of it"),
        ("gzip", "gzip", ZIPPED),
        ("br;q=0, gzip", "gzip", ZIPPED),
        ("", None, SCRIPT),
    ],
)
def test_the_smallest_form_that_the_browser_takes(
    site: FlaskClient, accepted: str, encoding: str | None, content: bytes
) -> None:
    answer = site.get("/static/dist/film.js", headers={"Accept-Encoding": accepted})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, encoding)
    assert len(answer.data) == len(content)
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Vary"] == "Accept-Encoding"
    etag = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": accepted}
    assert site.get("/static/dist/film.js", headers=etag).status_code == 304


def test_what_has_no_compressed_form_comes_as_it_is(site: FlaskClient) -> None:
    answer = site.get("/static/dist/plain.js", headers={"Accept-Encoding": "br"})
    assert (answer.data, "Content-Encoding" in answer.headers) == (SCRIPT, False)
    ranged = site.get("/static/dist/film.js", headers={"Accept-Encoding": "br", "Range": "bytes=0-3"})
    assert (ranged.status_code, ranged.data) == (206, SCRIPT[:4])


@pytest.mark.parametrize(
    "name", ["../secret.txt", "..%2fsecret.txt", "dist/../../secret.txt", "dist/none.js", "a" * 300]
)
def test_nothing_else_is_served(site: FlaskClient, name: str) -> None:
    assert site.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"}).status_code == 404


def test_the_list_of_first_files(tmp_path: Path) -> None:
    assert static_files.first_files(tmp_path / "none") == {"modules": [], "worker": [], "htj2k": []}
    (tmp_path / "preload.json").write_text(json.dumps({"worker": ["assets/w.js"]}), encoding="utf-8")
    assert static_files.first_files(tmp_path)["worker"] == ["assets/w.js"]
