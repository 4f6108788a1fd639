"""Rooms of co-viewing: opened and ended here, entered over a WebSocket (docs/live.md; K4)."""

from typing import Any

from apiflask import APIBlueprint
from flask import url_for

from api import guards
from api.request_scope import address, platform
from api.v1.schemas import LiveAddressOut, LiveRoomIn, LiveRoomOut
from workflow import live_room

blueprint = APIBlueprint("v1_live_rooms", __name__, url_prefix="/api/v1/exams", tag="Live rooms")


@blueprint.post("/<int:exam_id>/rooms")
@guards.patient_or_staff
@blueprint.output(LiveRoomOut, 201)
def open_room(exam_id: int) -> dict[str, Any]:
    """Open a room for looking at the exam together

    The token goes into a fragment, which browsers keep for themselves, and never into a query.
    """
    token = live_room.open_room(guards.visitor(), exam_id, address())
    page = url_for("film.show", exam_id=exam_id)
    return {"room": token, "url": f"{page}#room={token}", "socket": _socket()}


@blueprint.get("/<int:exam_id>/rooms")
@guards.patient_or_staff
@blueprint.output(LiveAddressOut)
def read_address(exam_id: int) -> dict[str, Any]:
    """Where the rooms are entered: the room's token follows the address"""
    live_room.require_may_open(guards.visitor(), exam_id)
    return {"socket": _socket()}


@blueprint.post("/<int:exam_id>/rooms/close")
@guards.patient_or_staff
@blueprint.input(LiveRoomIn)
@blueprint.output({}, 204)
def close_room(exam_id: int, json_data: dict[str, str]) -> str:
    """End a room that the caller opened

    Everybody in it is sent away within seconds.
    """
    live_room.close_room(guards.visitor(), exam_id, json_data["room"], address())
    return ""


def _socket() -> str:
    return f"{platform().settings.live_address}/live/rooms/"
