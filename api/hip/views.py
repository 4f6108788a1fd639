"""/ws/hip: the web service of a hospital platform, `HIPMessageServer(action, message)` and what else a site calls it.

| the message | the result of the call |
|---|---|
| XML of the platform | MCCI_IN000002UV01: AA stored, AE refused with the reason |
| JSON | {"code": 0, "message": …, "id": …}; code 1 refused |
| HL7 v2 | its acknowledgement; empty when MSH-15 wants none |

The answer is given when the message is committed. What cannot be stored is answered by a fault of the server and HTTP
503, and the sender keeps it. Whether a stored message makes sense is found later and shown to operators.
"""

import json

import peewee
from apiflask import APIBlueprint
from flask import Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException

from access.hospital_peers import TokenRequired
from api import body_limit, errors, guards
from api.hip import payload, soap, wsdl
from api.hip.payload import Payload
from api.hip.soap import NotSoap, Version
from api.request_scope import address, platform
from core import logs
from core.errors import CloudFilmError
from hl7_engine import inbox
from hl7_engine.incoming import Receipt
from hl7_engine.v3 import answer

blueprint = APIBlueprint("hip", __name__, url_prefix="/ws/hip", enable_openapi=False)
_ACCEPTED = {"stored": "接收成功", "known": "此前已接收"}
_TOO_LARGE = 413

_log = logs.get_logger("api")


@blueprint.get("")
@guards.hospital_peer
def describe() -> Response:
    """The WSDL, with or without ?wsdl."""
    content = wsdl.describe(_operations(), request.base_url)
    return Response(content, content_type="text/xml; charset=utf-8")


@blueprint.post("")
@guards.hospital_peer
@body_limit.up_to(body_limit.MESSAGE_BYTES)
def call() -> Response:
    """Take one message into the inbox."""
    called = soap.open_call(body_limit.read(), request.mimetype_params.get("charset"), _operations())
    held = payload.unpack(called.message)
    incoming = held.incoming(called.action, guards.hospital_peer_name(), address())
    (receipt,) = inbox.accept([incoming], platform().site)
    return Response(soap.answer(called, _result(held, receipt)), content_type=called.version.media_type)


def _result(held: Payload, receipt: Receipt) -> str:
    """The acknowledgement in the language of the message."""
    if held.format == "er7":
        return held.wrapped(receipt.answer) if receipt.answer else ""
    text = _ACCEPTED.get(receipt.state, receipt.reason)
    is_accepted = receipt.state in _ACCEPTED
    if held.format == "json":
        told = {"code": 0 if is_accepted else 1, "message": text, "id": receipt.message_id}
        return held.wrapped(json.dumps(told, ensure_ascii=False))
    code = answer.ACCEPTED if is_accepted else answer.ERROR
    return held.wrapped(answer.acknowledge(held.content, code, text, platform().site.application))


def _operations() -> tuple[str, ...]:
    return wsdl.names_in(platform().settings.soap_operations)


@blueprint.record
def _check_operations(state: BlueprintSetupState) -> None:
    """A name that is none stops the start, not a call in the night."""
    wsdl.names_in(state.app.extensions["cloudfilm"].settings.soap_operations)


@blueprint.errorhandler(NotSoap)
def _not_soap(error: NotSoap) -> Response:
    return _fault(400, str(error), error.version)


@blueprint.errorhandler(CloudFilmError)
def _refused(error: CloudFilmError) -> Response:
    if isinstance(error, TokenRequired):
        response = _fault(401, str(error))
        response.headers["WWW-Authenticate"] = 'Basic realm="CloudFilm", charset="UTF-8"'
        return response
    return _fault(errors.status_of(error), str(error))


@blueprint.errorhandler(HTTPException)
def _from_werkzeug(error: HTTPException) -> Response:
    if error.code == _TOO_LARGE:
        body_limit.discard()
        return _fault(_TOO_LARGE, f"more than {body_limit.MESSAGE_BYTES // 2**20} MB are not taken")
    return _fault(error.code or 500, error.description or "")


@blueprint.errorhandler(Exception)
def _not_stored(error: Exception) -> Response:
    """Nothing is acknowledged: the sender keeps its message."""
    status = errors.status_of(error)
    _log.error("soap_call_failed", exc_info=error, status=status)
    is_database = isinstance(error, peewee.PeeweeException)
    text = "the message could not be stored just now: send it again" if is_database else "an unforeseen error"
    response = _fault(status, text)
    if status == 503:
        response.headers["Retry-After"] = str(errors.RETRY_AFTER_SECONDS)
    return response


def _fault(status: int, text: str, version: Version | None = None) -> Response:
    usual = Version.SOAP_12 if request.mimetype == "application/soap+xml" else Version.SOAP_11
    told = version or usual
    content = soap.fault(told, text, is_callers=status < 500)
    return Response(content, status, content_type=told.media_type)
