"""Area `viewer`: how fast a film is on screen, in Chromium without a window and with a software graphics card.

Real server, real packs, generated CT of 512² that lossless compression makes 2.7 times smaller. Goals: issue 4 of the
project. A function per figure (or per set that falls out of the same visits), in `FIGURES`.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, Playwright, Request, Route

from bench import viewer_browser, viewer_ohif
from bench.child import free_port
from bench.figure import ROUNDS, Figure, less_is_better, spread
from bench.viewer_browser import DESKTOP, PHONE, first_contentful_paint, open_film, state, until, visit
from bench.viewer_cipher import open_rates
from bench.viewer_films import Films, dist_size, films
from bench.viewer_heap import WATCH_MEMORIES, heap_probe
from bench.viewer_line import slow_line
from crypto.providers.portable import PortableProvider

SHORT, USUAL, LONG, LONGEST = 100, 300, 1000, 2000
# Visits that take half a minute and more.
FEW_ROUNDS = 3
LINE_MBIT, LINE_ROUND_TRIP_MS = 9.0, 60.0


def measure(only: str) -> Iterator[Figure]:
    """The figures of this area whose name contains `only`."""
    if viewer_browser.path() is None:
        print("viewer: skipped, Chromium is not installed (Debian package: chromium)", file=sys.stderr)
        return
    wanted = [row for row in FIGURES if any(only in name for name in row[0])]
    sizes = sorted({size for _, size, _ in wanted if size})
    with films(sizes) as served, viewer_browser.playing() as playwright:
        for _, _, figures in wanted:
            yield from (figure for figure in figures(playwright, served) if only in figure.name)


@contextmanager
def _slow(server: tuple[str, int]) -> Iterator[str]:
    with slow_line(server, LINE_MBIT, LINE_ROUND_TRIP_MS) as url:
        yield url


def first_pixel(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """Navigation → pixels of DICOM painted, the full viewer following; the first paint of anything; beside OHIF."""
    ours, paints = [], []
    for _ in range(ROUNDS + 1):
        with visit(playwright, served) as page:
            ours.append(open_film(page, served.url + served.page[USUAL]))
            paints.append(first_contentful_paint(page))
    ours, paints = ours[1:], paints[1:]  # the first visit warms the server
    data = (
        f"{USUAL} slices, {DESKTOP['width']}×{DESKTOP['height']}, new browser each time, up, its caches empty"
    )
    yield less_is_better("first_pixel_ms", ours, "ms", 1200, f"{data}; {spread(ours)}")
    yield less_is_better("first_contentful_paint_ms", paints, "ms", 800, f"{data}; {spread(paints)}")
    version = viewer_ohif.version()
    if version is None:
        yield Figure("first_pixel_ms_ohif", 0, "ms", note=viewer_ohif.NOT_INSTALLED)
        return
    theirs = _ohif_first_pixels(playwright)
    yield less_is_better(
        "first_pixel_ms_ohif",
        theirs,
        "ms",
        round(median(ours), 1),
        f"OHIF {version} from npm, the same slices; ours is 1/{median(theirs) / median(ours):.1f} of it; {spread(theirs)}",
    )


def _ohif_first_pixels(playwright: Playwright) -> list[float]:
    found = []
    with viewer_ohif.ohif(USUAL) as (path, (host, port)):
        for _ in range(ROUNDS + 1):
            with viewer_browser.browser(playwright) as started:
                page = viewer_browser.drawn_page(started.new_context(viewport=DESKTOP))
                page.add_init_script(viewer_ohif.FIRST_PIXEL)
                page.goto(f"http://{host}:{port}{path}", wait_until="commit")
                until(page, "window.benchFirstPixel > 0")
                found.append(float(page.evaluate("window.benchFirstPixel")))
    return found[1:]


def first_pixel_slow(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """The same on a phone's line, workers included."""
    found = []
    with _slow(served.address) as url:
        for _ in range(ROUNDS):
            with visit(playwright, served, PHONE) as page:
                found.append(open_film(page, url + served.page[USUAL]))
    yield less_is_better(
        "first_pixel_9mbit_60ms_ms", found, "ms", 1500, f"{USUAL} slices, 390×844; {spread(found)}"
    )


def scripts(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """All scripts, workers' too, that a film fetches before its first picture."""
    asked: list[Request] = []
    with visit(playwright, served) as page:
        page.context.on("request", lambda request: asked.append(request))
        shown = open_film(page, served.url + served.page[SHORT])
        shown += float(page.evaluate("performance.timeOrigin"))
        # one that has not been answered says 0
        urls = {
            request.url.partition("?")[0] for request in asked if 0 < request.timing["startTime"] <= shown
        }
    names = sorted(url.partition("/static/dist/")[2] for url in urls if url.endswith(".js"))
    total = sum(dist_size(name) for name in names if name) / 1000
    note = ", ".join(f"{name.rpartition('/')[2]} {dist_size(name) / 1000:.1f}" for name in names if name)
    yield less_is_better("t1_js_brotli_kb", [total], "kB", 60, note)


# The work of one change on the page's thread: until the call returns, and in the animation frame that draws it.
_DRAWING = """async (change) => {
  const times = [];
  for (let i = 0; i < 40; i++) {
    let began = 0;
    requestAnimationFrame(() => { began = performance.now(); });
    const before = performance.now();
    if (change === 'window') window.cloudfilm.setWindow(40 + i, 400);
    else void window.cloudfilm.goto(0, 20 + i);
    const called = performance.now() - before;
    const drawn = await new Promise((done) => requestAnimationFrame(() => done(performance.now() - began)));
    times.push(called + drawn);
  }
  return times.slice(10);
}"""


def drawing(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """A new window, and the next slice, of 512² that wait decoded."""
    with visit(playwright, served) as page:
        open_film(page, served.url + served.page[SHORT])
        until(page, f"window.cloudfilm.state().loaded === {SHORT}")
        for name, change in (("window_draw_ms", "window"), ("scroll_draw_ms", "scroll")):
            times: list[float] = page.evaluate(_DRAWING, change)
            yield less_is_better(
                name, times, "ms", 8, f"512², canvas of {DESKTOP['width']} px; {spread(times)}"
            )


def load_whole(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """Navigation → every slice fetched, opened, decoded, on the page."""
    found = []
    for _ in range(FEW_ROUNDS):
        with visit(playwright, served) as page:
            open_film(page, served.url + served.page[USUAL])
            found.append(until(page, f"window.cloudfilm.state().loaded === {USUAL}"))
    yield less_is_better("load_300_slices_ms", found, "ms", 4000, spread(found))


def coarse(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """Navigation → every slice there, coarse, as scrolling and reslicing take it."""
    found = []
    with _slow(served.address) as url:
        for _ in range(FEW_ROUNDS):
            with visit(playwright, served) as page:
                open_film(page, url + served.page[LONG])
                found.append(until(page, f"window.cloudfilm.state().coarse === {LONG}"))
    yield less_is_better(
        "volume_coarse_1000_slices_9mbit_ms", found, "ms", 4000, f"32² a slice at least; {spread(found)}"
    )


def memory(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """The film opened three times in one browser, every slice decoded each time."""
    port = free_port()
    heaps = []
    with viewer_browser.browser(playwright, f"--remote-debugging-port={port}") as started:
        context = started.new_context(viewport=DESKTOP)
        viewer_browser.sign_in(context, served)
        context.route("**/decode_worker-*.js", _with_watch)
        for _ in range(3):
            page = context.new_page()
            open_film(page, served.url + served.page[LONGEST])
            _decode_all(page, LONGEST)
            with heap_probe(port) as probe:
                heaps.append(probe.read())
            page.close()
    for name, values, goal in (
        ("worker_heap_2000_slices_mb", [heap.worker for heap in heaps], 64),
        ("page_2000_slices_mb", [heap.page for heap in heaps], 350),
    ):
        opens = ", ".join(f"{value:.1f}" for value in values)
        yield less_is_better(name, [max(values)], "MB", goal, f"the largest of three opens: {opens}")


def _with_watch(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=WATCH_MEMORIES + answer.text())


def _decode_all(page: Page, count: int) -> None:
    page.evaluate(
        """async (count) => {
          for (let frame = 0; frame < count; frame++) await window.cloudfilm.goto(0, frame);
        }""",
        count,
    )


# Until as many sealed bytes lie on the disk as came over the line.
_KEPT = """await (async () => {
  const open = indexedDB.open('cloudfilm-ranges');
  const db = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const all = db.transaction('uses').objectStore('uses').getAll();
  const uses = await new Promise((done) => { all.onsuccess = () => done(all.result); });
  db.close();
  return uses.reduce((sum, use) => sum + use.size, 0) >= window.cloudfilm.state().fetched;
})()"""


def second_open(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """Pixel bytes over the line when a film that was seen whole is opened again by a new browser process."""
    fetched = []
    with TemporaryDirectory(prefix="bench-profile-") as profile:
        for _ in range(2):
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=viewer_browser.path(),
                args=viewer_browser.ARGUMENTS,
                viewport=DESKTOP,
            )
            viewer_browser.sign_in(context, served)
            page = context.pages[0]
            open_film(page, served.url + served.page[USUAL])
            until(page, f"window.cloudfilm.state().loaded === {USUAL}")
            until(page, _KEPT)
            fetched.append(float(state(page)["fetched"]))
            context.close()
    yield Figure(
        "second_open_pixel_bytes",
        fetched[1],
        "B",
        "goal",
        0,
        note=f"one restart; the first open: {fetched[0]:,.0f}",
    )


def mpr(playwright: Playwright, served: Films) -> Iterator[Figure]:
    """From the tap, on a film that waits decoded, to three planes of full resolution."""
    found = []
    for _ in range(ROUNDS):
        with visit(playwright, served) as page:
            open_film(page, served.url + served.page[SHORT])
            began = until(page, f"window.cloudfilm.state().loaded === {SHORT}")
            page.evaluate("void window.cloudfilm.openMpr(0)")
            ended = until(page, "((v) => v && v.full === v.total)(window.cloudfilm.state().volume)")
            found.append(ended - began)
    yield less_is_better("mpr_100_slices_ms", found, "ms", 2500, spread(found))


def cipher(playwright: Playwright, _: Films) -> Iterator[Figure]:
    """SM4-GCM in one worker."""
    key, nonce, aad = os.urandom(16), os.urandom(12), os.urandom(32)
    sealed = PortableProvider().seal(key, nonce, aad, os.urandom(4096))
    rates = open_rates(playwright, sealed, nonce, key, aad)
    value = median(rates)
    yield Figure(
        "sm4_open_mb_per_s_per_worker",
        round(value, 1),
        "MB/s",
        "goal",
        60,
        round(value / 60, 2),
        f"chunks of 4096 bytes, each verified first; {spread(rates)}",
    )


# What a function measures, how many slices its film has (0: none), and the function: another figure is one more line.
FIGURES: tuple[tuple[tuple[str, ...], int, Callable[[Playwright, Films], Iterator[Figure]]], ...] = (
    (("first_pixel_ms", "first_contentful_paint_ms", "first_pixel_ms_ohif"), USUAL, first_pixel),
    (("first_pixel_9mbit_60ms_ms",), USUAL, first_pixel_slow),
    (("t1_js_brotli_kb",), SHORT, scripts),
    (("window_draw_ms", "scroll_draw_ms"), SHORT, drawing),
    (("load_300_slices_ms",), USUAL, load_whole),
    (("volume_coarse_1000_slices_9mbit_ms",), LONG, coarse),
    (("worker_heap_2000_slices_mb", "page_2000_slices_mb"), LONGEST, memory),
    (("second_open_pixel_bytes",), USUAL, second_open),
    (("mpr_100_slices_ms",), SHORT, mpr),
    (("sm4_open_mb_per_s_per_worker",), 0, cipher),
)
