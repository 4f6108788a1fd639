"""Operators: what we owe other systems and what became of it, and the alarms of now and before (S3, S5)."""

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api import guards
from api.errors import status_of
from api.pages.wording import for_person
from api.request_scope import address
from core import alarms
from core.clock import now
from core.db import transaction
from core.errors import CloudFilmError
from hl7_engine import outgoing_store
from workflow import tend_messages

blueprint = APIBlueprint("operations", __name__, enable_openapi=False, url_prefix="/staff")

LONGEST_PEER = 64
PAST_ALARMS = 100


@blueprint.get("/messages/outgoing")
@guards.staff("operator")
def list_outgoing() -> str:
    """What we owe other systems, the newest first. Says nothing of a person, so the filters are in the URL."""
    return _outgoing()


@blueprint.post("/messages/outgoing/<int:outgoing_id>/resend")
@guards.staff("operator")
def resend(outgoing_id: int) -> Response:
    """Send a parked message again."""
    try:
        tend_messages.resend_outgoing(
            guards.visitor(), outgoing_id, request.form.get("reason", ""), address()
        )
    except CloudFilmError as error:
        return make_response(_outgoing(problem=for_person(error)), status_of(error))
    return redirect(url_for("operations.list_outgoing", done=outgoing_id), 303)


@blueprint.get("/alarms")
@guards.staff("operator")
def list_alarms() -> str:
    """What is wrong now, and what was."""
    with transaction():
        return render_template(
            "staff/alarms.html",
            open_alarms=alarms.open_alarms(),
            past=alarms.past_alarms(PAST_ALARMS),
            moment=now(),
        )


def _outgoing(problem: str = "") -> str:
    state = request.args.get("state", "")
    state = state if state in outgoing_store.STATES else ""
    peer = request.args.get("peer", "")[:LONGEST_PEER]
    before = request.args.get("before", "")
    done = request.args.get("done", "")
    with transaction():
        page = outgoing_store.list_owed(state, peer, before=int(before) if before.isdecimal() else 0)
        return render_template(
            "staff/outgoing.html",
            page=page,
            depths=outgoing_store.depths(),
            state=state,
            peer=peer,
            moment=now(),
            done=int(done) if done.isdecimal() else 0,
            problem=problem,
        )
