"""Operators: how messages flow, finding one, reading it, having it acted upon again as it is or corrected (S3, S5).

What is searched for may be a person's number or name, so it travels in a form and not in the URL. Everything works without
script; with it, htmx swaps the rows in place and keeps the overview fresh.
"""

import re
from datetime import datetime

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api import guards
from api.errors import status_of
from api.pages import message_words
from api.pages.presentation import HOSPITAL_ZONE
from api.pages.wording import for_person
from api.request_scope import address, platform
from core import alarms
from core.clock import now
from core.db import transaction
from core.errors import CloudFilmError
from hl7_engine import channel_report, correction
from hl7_engine.explanation import Explanation
from hl7_engine.message_store import PROBLEM, STATES, Criteria
from hl7_engine.site import ANYBODY
from workflow import tend_messages

blueprint = APIBlueprint("messages", __name__, enable_openapi=False, url_prefix="/staff/messages")

LONGEST_WORD = 64
LONGEST_TEXT = 200
# Inputs for fields that the message does not have yet.
NEW_FIELDS = 3
_WORDS = ("number", "peer", "channel", "message_type")
# What has just been done, said on the page that follows it.
DONE = {
    "replayed": "已放回队列，马上会重新处理。",
    "resent": "已作为新消息收下，马上会处理。原消息保持不变。",
    "refused": "修改后的消息仍被拒收，原因如下。原消息保持不变。",
}


@blueprint.get("")
@guards.staff("operator")
def list_messages() -> str:
    """How the traffic stands, and the newest messages."""
    return _list(Criteria(), 0)


@blueprint.post("")
@guards.staff("operator")
def find_messages() -> str:
    """The messages that match what was typed."""
    before = request.form.get("before", "")
    return _list(_criteria(), int(before) if before.isdecimal() else 0)


@blueprint.get("/overview")
@guards.staff("operator")
def overview() -> str:
    """Alarms and traffic alone, to be swapped in."""
    return render_template("staff/_message_overview.html", **_traffic())


@blueprint.get("/<int:message_id>")
@guards.staff("operator")
def show(message_id: int) -> str:
    """One message laid open."""
    return _show(message_id, done=DONE.get(request.args.get("done", ""), ""))


@blueprint.post("/<int:message_id>/replay")
@guards.staff("operator")
def replay(message_id: int) -> Response:
    """Have it acted upon again."""
    typed = request.form.get("reason", "")
    try:
        receipt = tend_messages.replay_message(platform(), guards.visitor(), message_id, typed, address())
    except CloudFilmError as error:
        return make_response(_show(message_id, problem=for_person(error)), status_of(error))
    done = "refused" if receipt.state == "refused" else "replayed"
    return redirect(url_for("messages.show", message_id=receipt.message_id, done=done), 303)


@blueprint.get("/<int:message_id>/edit")
@guards.staff("operator")
def edit(message_id: int) -> str:
    """Its values in a form."""
    return _edit(message_id)


@blueprint.post("/<int:message_id>/edit")
@guards.staff("operator")
def resend(message_id: int) -> Response:
    """Take it in anew as it was corrected."""
    reason = request.form.get("reason", "")
    visitor, step = guards.visitor(), tend_messages
    try:
        if "text" in request.form:
            receipt = step.resend_with_text(
                platform(), visitor, message_id, request.form["text"], reason, address()
            )
        else:
            receipt = step.resend_with_fields(
                platform(), visitor, message_id, _typed_fields(), reason, address()
            )
    except CloudFilmError as error:
        page = _edit(message_id, problem=_why(error), typed=_typed_fields(), reason=reason)
        return make_response(page, status_of(error))
    done = "refused" if receipt.state == "refused" else "resent"
    return redirect(url_for("messages.show", message_id=receipt.message_id, done=done), 303)


def _list(criteria: Criteria, before: int) -> str:
    page = tend_messages.search_messages(guards.visitor(), criteria, before, address())
    rows = {"page": page, "criteria": criteria, "before": before, "peer_name": _peer_name}
    if "HX-Request" in request.headers:
        return render_template("staff/_message_rows.html", **rows)
    return render_template("staff/messages.html", **rows, **_traffic(), problem_state=PROBLEM)


def _peer_name(sender: str) -> str:
    """As the site's file calls it; what it calls itself when it is not there."""
    peer = platform().site.peer_of(sender)
    return sender if peer.sender == ANYBODY else peer.name


def _traffic() -> dict[str, object]:
    moment = now()
    with transaction():
        return {
            "peers": channel_report.report(platform().site, moment),
            "open_alarms": alarms.open_alarms(),
            "moment": moment,
        }


def _show(message_id: int, *, done: str = "", problem: str = "") -> str:
    view = tend_messages.open_message(platform(), guards.visitor(), message_id, address())
    row = view.row
    told = message_words.reason(row.error, row.state)
    return render_template(
        "staff/message.html",
        view=view,
        row=row,
        told=told,
        effects=message_words.effects(row),
        done=done,
        problem=problem,
        peer_name=_peer_name(row.peer),
    )


def _edit(
    message_id: int, *, problem: str = "", typed: dict[str, str] | None = None, reason: str = ""
) -> str:
    view = tend_messages.open_message(platform(), guards.visitor(), message_id, address())
    explanation = view.explanation
    parts, text = [], None
    if explanation is not None and explanation.segments:
        parts = correction.editable_parts(explanation)
    elif explanation is not None:
        text = request.form.get("text") or correction.editable_text(view.row)
    told = message_words.reason(view.row.error, view.row.state)
    place = told.place if told else ""
    wrong = [part for part in parts if place and re.match(rf"{place}(?!\d)", part.path)]
    return render_template(
        "staff/message_edit.html",
        view=view,
        row=view.row,
        has_fields=explanation is not None and bool(explanation.segments),
        names=_names(explanation),
        wrong=wrong,
        parts=[part for part in parts if part not in wrong],
        text=text,
        typed=typed or {},
        new_fields=NEW_FIELDS,
        problem=problem,
        reason=reason,
    )


def _names(explanation: Explanation | None) -> dict[str, str]:
    """The name of each field by the path of its parts."""
    segments = explanation.segments if explanation else ()
    return {part.path: field.name for segment in segments for field in segment.fields for part in field.parts}


def _typed_fields() -> dict[str, str]:
    """Values by path: of the inputs that hold what was there, and of those for new fields."""
    form = request.form
    typed = {name.removeprefix("field:"): value for name, value in form.items() if name.startswith("field:")}
    for number in range(NEW_FIELDS):
        path, value = form.get(f"new-path-{number}", "").strip(), form.get(f"new-value-{number}", "")
        if path and value:
            typed[path] = value
    return typed


def _why(error: CloudFilmError) -> str:
    told = message_words.reason(str(error), "refused")
    return told.why if told else for_person(error)


def _criteria() -> Criteria:
    words = {name: request.form.get(name, "").strip()[:LONGEST_WORD] for name in _WORDS}
    state = request.form.get("state", "")
    return Criteria(
        **words,
        state=state if state in (*STATES, PROBLEM) else "",
        since=_moment("since"),
        until=_moment("until"),
        text=request.form.get("text", "").strip()[:LONGEST_TEXT],
    )


def _moment(name: str) -> datetime | None:
    """What an `<input type=datetime-local>` sends, in the hospital's clock; None for nothing and for nonsense."""
    try:
        return datetime.fromisoformat(request.form.get(name, "")).replace(tzinfo=HOSPITAL_ZONE)
    except ValueError:
        return None
