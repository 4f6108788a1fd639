"""When someone invites others to look at an exam together, then a room is open for it; who comes, stays and goes is asked
for his rights and is on record (K4, K5, F10)."""

from dataclasses import dataclass, field

from access import live_rooms, sessions
from access.rights import require_exam, require_published
from access.sessions import Visitor
from core import audit
from core.db import transaction
from core.errors import NotAllowed
from core.models import Exam, Staff


@dataclass(frozen=True)
class Place:
    """Somebody in a room. `staff_name` is empty for patients, who say themselves how they want to be called."""

    visitor: Visitor
    session_token: str = field(repr=False)
    room_token: str = field(repr=False)
    room_id: int
    exam_id: int
    staff_name: str
    is_owner: bool


def open_room(visitor: Visitor, exam_id: int, address: str) -> str:
    """Open a room; return its token, which is kept nowhere. Raises `NotFound`, or `NotAllowed` before publication."""
    with transaction():
        exam = require_may_open(visitor, exam_id)
        token = live_rooms.open_room(visitor, exam)
        audit.append(visitor.actor, "open_live_room", f"exam:{exam.id}", address=address)
        return token


def require_may_open(visitor: Visitor, exam_id: int) -> Exam:
    """The exam, if this visitor may look at it with others. Raises `NotFound`, or `NotAllowed` before publication."""
    exam = require_exam(visitor, exam_id)
    require_published(visitor, exam)
    return exam


def close_room(visitor: Visitor, exam_id: int, token: str, address: str) -> None:
    """End a room of this exam that this session opened. Raises `NotFound`."""
    with transaction():
        room = live_rooms.close_room(visitor, require_exam(visitor, exam_id), token)
        audit.append(
            visitor.actor,
            "close_live_room",
            f"exam:{room.exam_id}",
            address=address,
            detail={"room": room.id},
        )


def enter(session_token: str, room_token: str, address: str) -> Place:
    """Let somebody in. Raises `NotFound` or `NotAllowed`."""
    with transaction():
        visitor = _visitor_of(session_token)
        room = live_rooms.require_room(visitor, room_token)
        live_rooms.keep_open(room)
        audit.append(
            visitor.actor,
            "join_live_room",
            f"exam:{room.exam_id}",
            address=address,
            detail={"room": room.id},
        )
        person = Staff.get_or_none(Staff.id == visitor.staff_id) if visitor.is_staff else None
        return Place(
            visitor,
            session_token,
            room_token,
            room.id,
            room.exam_id,
            person.display_name if person else "",
            room.owner_id == visitor.session_id,
        )


def require_still(place: Place) -> None:
    """Raise `NotFound` or `NotAllowed` once the session, the right to the exam or the room has ended."""
    live_rooms.keep_open(live_rooms.require_room(_visitor_of(place.session_token), place.room_token))


def leave(place: Place, address: str) -> None:
    """Put on record that somebody is gone."""
    audit.append(
        place.visitor.actor,
        "leave_live_room",
        f"exam:{place.exam_id}",
        address=address,
        detail={"room": place.room_id},
    )


def _visitor_of(session_token: str) -> Visitor:
    visitor = sessions.visitor_of(session_token)
    if visitor is None:
        raise NotAllowed("登录已经过期，请重新登录")
    return visitor
