"""The OpenAPI page tells every route, and is valid OpenAPI 3.1."""

import json

import pytest
from openapi_spec_validator import validate

from crypto.service.contract import ENDPOINTS
from crypto.service.endpoint import Needs
from crypto.service.openapi import describe

pytestmark = pytest.mark.requirement("H2.1")

DOCUMENT = describe(ENDPOINTS)


def test_it_is_valid_and_plain_json() -> None:
    validate(DOCUMENT)
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_endpoint_is_told_once() -> None:
    told = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == {(one.method, one.path) for one in ENDPOINTS}
    assert (
        len({one.name for one in ENDPOINTS}) == len({(e.method, e.path) for e in ENDPOINTS}) == len(ENDPOINTS)
    )


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_each_says_what_it_takes_answers_and_refuses(endpoint) -> None:  # type: ignore[no-untyped-def]
    told = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    assert told["summary"]
    assert {"200", "429", "500", "503"} <= told["responses"].keys()
    assert ("401" in told["responses"]) is (endpoint.needs is not Needs.NOBODY)
    assert bool(told["security"]) is (endpoint.needs is not Needs.NOBODY)
    assert ("requestBody" in told) is (endpoint.method != "GET")
    for model in (endpoint.request, endpoint.answer):
        schema = model.model_json_schema()
        assert schema["additionalProperties"] is False
        assert model.__doc__


def test_every_text_and_list_of_a_request_has_an_end() -> None:
    """Bytes are limited by the body and by the services; texts and lists by the contract."""
    for endpoint in ENDPOINTS:
        for name, told in endpoint.request.model_json_schema().get("properties", {}).items():
            if told.get("type") == "string" and told.get("format") != "base64url" and "enum" not in told:
                assert "maxLength" in told, (endpoint.name, name)
            if told.get("type") == "array":
                assert "maxItems" in told, (endpoint.name, name)
