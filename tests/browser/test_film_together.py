"""Two browsers in one room: what one does, both show, on screens of different size (K4)."""

import random
from collections.abc import Iterator

import peewee
import pytest
from playwright.sync_api import Browser, Page

from access import sessions
from api.cookies import SESSION
from core.config import Settings
from tests.browser.film_fixture import DIST, FilmServer, ct_series
from tests.browser.test_viewer_fixture import Film
from tests.fixtures.live_server import LIMITS, serving
from tests.unit.api import makers
from workflow import live_room

pytestmark = [
    pytest.mark.requirement("K4"),
    pytest.mark.usefixtures("database"),
    pytest.mark.skipif(not (DIST / "film.js").exists(), reason="the viewer is not built"),
]

ACTIONS = 200
SLICES = 12
SEEN = """JSON.stringify((({layout, cells, window, view, inverted, annotations}) =>
  [layout, cells, window, view, inverted, annotations])(cloudfilm.state()))"""


@pytest.fixture
def film(settings: Settings) -> Iterator[FilmServer]:
    server = FilmServer([ct_series(SLICES), ct_series(5)])
    with server.running(), serving(Settings(home=settings.home, public_url=server.url), LIMITS) as live:
        server.live_socket = f"http://{live}/live/rooms/"
        yield server


@pytest.fixture
def room(database: peewee.Database) -> tuple[str, list[str]]:
    """The room's token, and two people's sessions."""
    exam = makers.published()
    tokens = [sessions.open_patient_session(makers.PHONE, "", 12).token for _ in range(2)]
    visitor = sessions.visitor_of(tokens[0])
    assert visitor
    return live_room.open_room(visitor, exam.id, ""), tokens


def enter(chromium: Browser, film: FilmServer, room: str, token: str, width: int, height: int) -> Film:
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    context.set_default_timeout(20_000)
    context.add_cookies([{"name": SESSION, "value": token, "url": film.url}])
    page: Page = context.new_page()
    person = Film(page)
    page.goto(f"{film.url}/film#room={room}")
    person.until("document.documentElement.dataset.firstFrame")
    page.click("[data-action=more]")
    page.click("[data-action=live]")
    person.until("document.querySelector('.live-panel')?.dataset.connection === 'live'")
    page.click("[data-action=more]")
    page.click("[data-action=more]")
    return person


def action(dice: random.Random) -> str:
    return dice.choice(
        [
            f"cloudfilm.goto({dice.randrange(2)}, {dice.randrange(5)})",
            f"cloudfilm.setWindow({dice.randrange(-600, 400)}, {dice.randrange(1, 2000)})",
            f"cloudfilm.setView({{zoom: {dice.uniform(0.3, 9)}, rotation: {dice.randrange(360)}}})",
            f"cloudfilm.setView({{flipped: {str(dice.random() < 0.5).lower()}}})",
            f"cloudfilm.setInverted({str(dice.random() < 0.5).lower()})",
            f"cloudfilm.setLayout({dice.randrange(1, 3)}, {dice.randrange(1, 3)})",
            f"cloudfilm.openSeries({dice.randrange(2)}, 0)",
            "cloudfilm.reset()",
        ]
    )


def test_both_see_one_film_after_many_actions(
    chromium: Browser, film: FilmServer, room: tuple[str, list[str]]
) -> None:
    token, people = room
    leader = enter(chromium, film, token, people[0], 1280, 800)
    follower = enter(chromium, film, token, people[1], 390, 844)
    dice = random.Random(4)
    for _ in range(ACTIONS):
        leader.page.evaluate(f"void {action(dice)}")
    leader.page.evaluate("cloudfilm.activate(0)")
    wanted = leader.page.evaluate(SEEN)
    follower.page.evaluate("cloudfilm.activate(0)")
    follower.until(f"{SEEN} === {wanted!r}")
    assert leader.complaints == follower.complaints == []
    for person in (leader, follower):
        person.page.context.close()
