"""How pixels reach the screen: coarse first, kept as ciphertext over a restart, forgotten when told (a real pack)."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext

from crypto.keyring import Keyring
from crypto.providers.portable import PortableProvider
from crypto.sm3 import sm3
from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.browser.film_fixture import DIST, phantom
from tests.browser.packed_film import PackedFilm
from tests.browser.test_viewer_fixture import DESKTOP, Film
from tests.unit.imaging import dicom_files

SLICES = 12
FORGET = Path(__file__).resolve().parents[2] / "api" / "static" / "forget.js"
KEPT = """await (async () => {
  const open = indexedDB.open('cloudfilm-ranges');
  const db = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const all = db.transaction('uses').objectStore('uses').getAll();
  const uses = await new Promise((done) => { all.onsuccess = () => done(all.result); });
  db.close();
  return uses.reduce((sum, use) => sum + use.size, 0) >= cloudfilm.state().fetched;
})()"""

pytestmark = pytest.mark.skipif(
    not (DIST / "film.js").exists(), reason="the viewer is not built: npm ci && npm run build in web/"
)


def hu(index: int) -> NDArray[np.int16]:
    """A slice."""
    return phantom(index, 512)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, session_keyring: Keyring) -> Iterator[PackedFilm]:
    files = [dicom_files.file(hu(index), index + 1) for index in range(SLICES)]
    server = PackedFilm(tmp_path_factory.mktemp("pack"), [files], session_keyring, PortableProvider())
    with server.running():
        yield server


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=DESKTOP, locale="zh-CN")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.mark.requirement("K2", "E12")
def test_every_slice_can_be_seen_coarse_before_its_own_bytes_come(
    packed: PackedFilm, context: BrowserContext
) -> None:
    packed.only = packed.low
    try:
        page = Film(context.new_page())
        page.page.goto(f"{packed.url}/film")
        page.until(f"window.cloudfilm?.state().coarse === {SLICES}")
        page.page.evaluate("void cloudfilm.goto(0, 3)")
        page.until("cloudfilm.state().shown?.frame === 3")
        assert page.state()["resolution"] == "coarse"
        assert page.page.evaluate("document.documentElement.dataset.firstFrame ?? null") is None
    finally:
        packed.only = None


@pytest.mark.requirement("K2", "S1")
def test_the_whole_film_is_brought_exact_and_no_byte_twice(
    packed: PackedFilm, context: BrowserContext
) -> None:
    packed.range_requests.clear()
    page = Film(context.new_page()).open(packed)
    page.until(f"cloudfilm.state().loaded === {SLICES}")
    for index in range(SLICES):
        assert page.page.evaluate(f"cloudfilm.frameBytes(0, {index})") == sm3(hu(index).tobytes()).hex()
    spans = sorted(
        tuple(map(int, asked.removeprefix("bytes=").split("-"))) for asked in packed.range_requests
    )
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    # neighbours come by one request, and with them the chunk between two of them that nobody needs
    between = sum(last + 1 - first for first, last in spans) - page.state()["fetched"]
    assert 0 <= between < SLICES * (4096 + 16)


@pytest.mark.requirement("K2")
def test_a_browser_that_saves_data_is_given_less_and_says_so(
    packed: PackedFilm, context: BrowserContext
) -> None:
    context.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    page = Film(context.new_page()).open(packed)
    page.until(f"cloudfilm.state().loaded === {SLICES}")
    state = page.state()
    assert state["resolution"] == "lossy"
    assert state["fetched"] < sum(frame["length"] for frame in packed.frames) / 2
    shown = page.page.evaluate("cloudfilm.frameBytes(0, 0)")
    assert shown != sm3(hu(0).tobytes()).hex()
    assert page.complaints == []


@pytest.mark.requirement("K2", "K5")
def test_after_a_restart_of_the_browser_no_byte_of_pixels_is_fetched(
    packed: PackedFilm, chromium: Browser, tmp_path: Path
) -> None:
    fetched = []
    for _ in range(2):
        context = chromium.browser_type.launch_persistent_context(
            tmp_path / "profile",
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=CHROMIUM_ARGUMENTS,
            viewport=DESKTOP,
        )
        page = Film(context.pages[0]).open(packed)
        page.until(f"cloudfilm.state().loaded === {SLICES}")
        page.until(KEPT)
        fetched.append(page.state()["fetched"])
        context.close()
    assert fetched[0] > 0
    assert fetched[1] == 0


@pytest.mark.requirement("K5")
def test_what_is_kept_goes_at_log_out_also_while_another_tab_shows_a_film(
    packed: PackedFilm, context: BrowserContext
) -> None:
    first = Film(context.new_page()).open(packed)
    first.until(KEPT)
    leaving = context.new_page()
    leaving.goto(f"{packed.url}/empty")
    leaving.evaluate(FORGET.read_text(encoding="utf-8").partition("*/")[2])
    first.until("!(await indexedDB.databases()).some(({ name }) => name === 'cloudfilm-ranges')")
    first.goto(0, 0)
    assert first.state()["shown"] == {"series": 0, "frame": 0}
    assert first.complaints == []
