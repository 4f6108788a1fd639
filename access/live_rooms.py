"""Rooms of co-viewing (K4): a random token names one, and only its SM3 is kept. Knowing it is not enough to enter: who
comes must be allowed to open the exam, now and as long as he stays.
"""

import secrets
from datetime import timedelta

import peewee

from access.rights import require_exam, require_published
from access.sessions import Visitor
from core.clock import now
from core.db import transaction
from core.errors import NotFound, Refused
from core.models import Exam, LiveRoom
from crypto.sm3 import sm3

TOKEN_BYTES = 32
# As long as a working day; a longer talk opens another room.
LIFE = timedelta(hours=12)
# An empty room is kept for who was cut off or comes late.
IDLE = timedelta(minutes=30)
MAX_OPEN_PER_SESSION = 20
_TOUCHED = timedelta(minutes=1)


def open_room(visitor: Visitor, exam: Exam) -> str:
    """A new room for `exam`, which this visitor may open; return its token. Raises `Refused` for the 21st at once."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction():
        if _open_rooms().where(LiveRoom.owner == visitor.session_id).count() >= MAX_OPEN_PER_SESSION:
            raise Refused("同时打开的共览太多，请先结束其中一个")
        LiveRoom.create(
            token_sm3=_digest(token), exam=exam, owner=visitor.session_id, expires_at=now() + LIFE
        )
    return token


def require_room(visitor: Visitor, token: str) -> LiveRoom:
    """The open room of this token. Raises `NotFound`, or `NotAllowed` before publication.

    This is the whole of who may enter: a kind of session that sees less (a share) is asked about here.
    """
    room: LiveRoom | None = _open_rooms().where(LiveRoom.token_sm3 == _digest(token)).first()
    if room is None:
        raise NotFound("这次共览已经结束")
    require_published(visitor, require_exam(visitor, room.exam.id))
    return room


def keep_open(room: LiveRoom) -> None:
    """Somebody is in it: it is not idle. Written once a minute at most."""
    if room.used_at < now() - _TOUCHED:
        LiveRoom.update(used_at=now()).where(LiveRoom.id == room.id).execute()


def close_room(visitor: Visitor, exam: Exam, token: str) -> LiveRoom:
    """End the room for everybody in it. Raises `NotFound` unless this visitor's session opened it for this exam."""
    room = require_room(visitor, token)
    if (room.owner.id, room.exam.id) != (visitor.session_id, exam.id):
        raise NotFound("这次共览不是您发起的")
    LiveRoom.update(closed_at=now()).where(LiveRoom.id == room.id).execute()
    return room


def _open_rooms() -> "peewee.ModelSelect[LiveRoom]":
    moment = now()
    return LiveRoom.select().where(
        LiveRoom.closed_at.is_null(), LiveRoom.expires_at > moment, LiveRoom.used_at > moment - IDLE
    )


def _digest(token: str) -> str:
    return sm3(token.encode()).hex()
