"""Tokens of persons, and the door that makes a caller of a connection."""

import pytest

from crypto.errors import RoleRefused
from crypto.roles.permissions import Role, Session
from crypto.service.connection import Peer
from crypto.service.door import Caller, ServiceDoor
from crypto.service.machines import Machines
from crypto.service.people import IDLE_SECONDS, LIFE_SECONDS, People
from crypto.service.problems import NotKnown

pytestmark = pytest.mark.requirement("H2.7")

BOSS = Session("boss", Role.ADMINISTRATOR)
MACHINE = Session("platform", Role.OPERATOR)


class ToyAccounts:
    """Knows one person and one machine."""

    def __init__(self) -> None:
        self.is_removed = False

    def sign_in(self, name: str, password: str, code: str) -> Session:
        if (name, password, code) != ("boss", "right", "123456"):
            raise RoleRefused("wrong")
        return BOSS

    def machine_session(self, name: str) -> Session:
        if name != "platform":
            raise RoleRefused("no such machine")
        return MACHINE

    def require_active(self, session: Session) -> None:
        if self.is_removed:
            raise RoleRefused("removed")


class Vault:
    is_sealed = True


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.accounts = ToyAccounts()
        self.people = People(self.accounts, lambda: self.now)  # type: ignore[arg-type]
        self.door = ServiceDoor(
            Machines(users={5: "platform", 6: "unheard-of"}),
            self.people,
            self.accounts,
            Vault(),  # type: ignore[arg-type]
        )

    def come(self, peer: Peer, token: str = "") -> Caller:
        return self.door.enter(self.door.account(peer, token), token)


@pytest.fixture
def world() -> World:
    return World()


def test_a_machine_comes_by_its_user_and_needs_an_account(world: World) -> None:
    assert world.come(Peer(uid=5)) == Caller(MACHINE, "")
    with pytest.raises(RoleRefused):
        world.come(Peer(uid=6))
    with pytest.raises(NotKnown):
        world.come(Peer(uid=7))


def test_a_person_is_a_person_on_whatever_connection(world: World) -> None:
    token, session = world.people.sign_in("boss", "right", "123456")
    assert session == BOSS
    assert world.come(Peer(uid=5), token) == world.come(Peer(), token) == Caller(BOSS, token)
    world.people.end(token)
    with pytest.raises(NotKnown):
        world.come(Peer(uid=5), token)
    with pytest.raises(RoleRefused):
        world.people.sign_in("boss", "wrong", "123456")


def test_a_session_ends_when_it_rests_and_after_a_shift(world: World) -> None:
    token, _ = world.people.sign_in("boss", "right", "123456")
    world.now += IDLE_SECONDS
    assert world.people.session_of(token) == BOSS
    world.now += IDLE_SECONDS + 1
    assert world.people.session_of(token) is None
    token, _ = world.people.sign_in("boss", "right", "123456")
    began = world.now
    while world.now - began <= LIFE_SECONDS - IDLE_SECONDS:
        world.now += IDLE_SECONDS
        assert world.people.session_of(token) == BOSS
    world.now = began + LIFE_SECONDS + 1
    assert world.people.session_of(token) is None


def test_a_removed_account_is_refused_while_its_session_lasts(world: World) -> None:
    token, _ = world.people.sign_in("boss", "right", "123456")
    world.accounts.is_removed = True
    with pytest.raises(RoleRefused):
        world.come(Peer(uid=5), token)


def test_tokens_do_not_fill_the_memory_and_the_newest_stays(world: World) -> None:
    tokens = []
    for _ in range(300):
        world.now += 0.001
        tokens.append(world.people.sign_in("boss", "right", "123456")[0])
    valid = [token for token in tokens if world.people.session_of(token)]
    assert len(valid) == 256
    assert tokens[-1] in valid


def test_the_door_tells_whether_the_vault_is_sealed(world: World) -> None:
    assert world.door.is_sealed
