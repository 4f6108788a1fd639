"""Messages over REST: the same commands as HL7 v2 and SOAP bring, as JSON, or an HL7 v2 message as it is (P2, F6).

Signed like the requests of kiosks (docs/kiosk.md); the key id is the sender's name. JSON is checked against its schema
here, so that a mistake is answered at once by the name of its field; whether a command fits what is known shows when it
takes effect.
"""

from typing import Any

from apiflask import APIBlueprint
from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from api import body_limit, guards
from api.request_scope import address, platform
from api.v1.schemas import MessageReceiptOut
from core import logs
from core.errors import Refused
from hl7_engine import inbox, json_commands
from hl7_engine.incoming import Incoming
from hl7_engine.payload import unframed

blueprint = APIBlueprint("v1_messages", __name__, url_prefix="/api/v1", tag="Messages")

JSON = "application/json"
ER7 = ("application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7", "text/plain")

_log = logs.get_logger("api")


@blueprint.post("/messages")
@guards.signed_machine
@body_limit.up_to(body_limit.MESSAGE_BYTES)
@blueprint.output(MessageReceiptOut, status_code=202)
def take_message() -> dict[str, Any]:
    """Hand over a message

    202 when it is committed here, also when it came before; it takes effect in the order of arrival. 422 with the
    reason when it cannot be read; 503 when it could not be stored: send it again.
    """
    content = unframed(body_limit.read())
    incoming = _as_json(content) if request.mimetype == JSON else _as_er7(content)
    (receipt,) = inbox.accept([incoming], platform().site)
    if receipt.state == "refused":
        raise Refused(receipt.reason)
    return {"id": receipt.message_id, "state": receipt.state}


def _as_json(content: bytes) -> Incoming:
    try:
        told = json_commands.load(content).told
        json_commands.commands_in(told)
    except Refused as error:
        _log.warning("message_refused", peer=guards.machine().key_id, why=str(error))
        raise
    message_id, action = json_commands.heading_of(told)
    return _incoming(content, "json", message_id, action)


def _as_er7(content: bytes) -> Incoming:
    if request.mimetype not in ER7:
        raise UnsupportedMediaType(f"Content-Type is none of {JSON}, {', '.join(ER7)}")
    return _incoming(content, "er7")


def _incoming(content: bytes, form: str, control_id: str = "", message_type: str = "") -> Incoming:
    return Incoming(
        content,
        address(),
        channel="rest",
        format=form,
        peer=guards.machine().key_id,
        control_id=control_id,
        message_type=message_type,
    )
