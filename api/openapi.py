"""The OpenAPI 3.1 document (F6): who may call and how a call fails is taken from the guards."""

import re
from typing import Any

from apiflask import APIFlask

from api.errors import PROBLEM_MEDIA_TYPE
from api.guards import Caller, guard_of
from hl7_engine import json_shape

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "for the person, in Chinese"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "for the operator"},
        "request_id": {"type": "string", "description": "is in the log"},
        "errors": {"type": "object", "description": "location → field → what is wrong (422 only)"},
    },
}

_SCHEMES: dict[str, Any] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "cf_session"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "machine": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CF-Signature",
        "description": "HMAC-SM3 with X-CF-Key, X-CF-Timestamp and X-CF-Nonce",
    },
}

_MESSAGE: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/Message"}},
        "application/hl7-v2": {"schema": {"type": "string", "description": "one HL7 v2 message"}},
    },
}

_MEANING = {
    "401": "Not signed in, or the signature is not valid",
    "403": "Not allowed",
    "404": "No such subject for this caller",
    "409": "Known with other content",
    "415": "Not JSON",
    "422": "The input is not valid",
    "429": "Too often",
    "503": "Something that we depend on is away",
}


def describe(app: APIFlask) -> None:
    """Set up the document of `app`."""
    app.config.update(
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,
        JSON_SPEC_MIMETYPE="application/json",
    )
    app.security_schemes = _SCHEMES
    app.info = {"description": "Films, reports and fees of one hospital. Times with zone, money in fen."}

    @app.spec_processor
    def complete(spec: Any) -> Any:
        schemas = spec["components"].setdefault("schemas", {})
        schemas["Problem"] = _PROBLEM
        schemas.update(json_shape.definitions("#/components/schemas/"))
        spec["paths"]["/api/v1/messages"]["post"]["requestBody"] = _MESSAGE
        for rule in app.url_map.iter_rules():
            path = re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)
            guard = guard_of(app.view_functions[rule.endpoint])
            for method, operation in spec["paths"].get(path, {}).items():
                if guard is not None and method.upper() in (rule.methods or ()):
                    _complete_operation(operation, method, guard.caller)
        return spec


def _complete_operation(operation: dict[str, Any], method: str, caller: Caller) -> None:
    operation["security"] = {
        Caller.ANYBODY: [],
        Caller.MACHINE: [{"machine": []}],
    }.get(caller, [{"session": []}, {"bearer": []}])
    statuses = {"503"}
    if caller is not Caller.ANYBODY:
        statuses |= {"401", "403"}
    if operation.get("parameters"):
        statuses |= {"404", "422"}
    if method != "get":
        statuses |= {"403", "409", "415", "422", "429"}
    for status in sorted(statuses):
        content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"].setdefault(status, {"description": _MEANING[status], "content": content})
