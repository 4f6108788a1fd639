"""The description of the service (OpenAPI 3.1), written from the endpoints and their models alone."""

from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from crypto.service.endpoint import Endpoint, Needs, Nothing
from crypto.service.problems import MEDIA_TYPE, TITLES, Problem

_REFERENCES = "#/components/schemas/{model}"
_ALWAYS = (429, 500, 503)
_WITH_BODY = (400, 408, 413, 422)
_ABOUT = (
    "SM2, SM3 and SM4 by key id, the platform's keyring, and unsealing. Bytes are base64 (RFC 4648; the alphabet of §5 is "
    "written, both are read). Errors are problems (RFC 9457) with `kind`. A caller is known by its user on the Unix socket, "
    "by a token, or by a client certificate."
)


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document, ready for JSON."""
    models = {model for one in endpoints for model in (one.request, one.answer)} | {Problem}
    inputs = {one.request for one in endpoints}
    _, definitions = models_json_schema(
        [
            (model, "validation" if model in inputs else "serialization")
            for model in sorted(models, key=_name)
        ],
        ref_template=_REFERENCES,
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CloudFilm crypto service", "version": "1", "description": _ABOUT},
        "servers": [{"url": "https://127.0.0.1"}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "certificate": {"type": "mutualTLS"},
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"Answers {endpoint.needs.value}."
        + ("" if endpoint.is_repeatable else " Not to be repeated when the answer was lost."),
        "responses": {
            "200": {
                "description": "Done",
                "content": {"application/json": {"schema": _reference(endpoint.answer)}},
            },
            **{str(status): _problem(status) for status in sorted(_statuses(endpoint))},
        },
        "security": [] if endpoint.needs is Needs.NOBODY else [{"token": []}, {"certificate": []}],
    }
    if endpoint.method != "GET":
        told["requestBody"] = {
            "required": endpoint.request is not Nothing,
            "content": {"application/json": {"schema": _reference(endpoint.request)}},
        }
    return told


def _statuses(endpoint: Endpoint) -> set[int]:
    found = set(_ALWAYS)
    if endpoint.needs is not Needs.NOBODY:
        found |= {401, 403}
    if endpoint.method != "GET":
        found |= set(_WITH_BODY)
    return found


def _problem(status: int) -> dict[str, Any]:
    return {"description": TITLES[status], "content": {MEDIA_TYPE: {"schema": _reference(Problem)}}}


def _reference(model: type) -> dict[str, str]:
    return {"$ref": _REFERENCES.format(model=_name(model))}


def _name(model: type) -> str:
    return model.__name__
