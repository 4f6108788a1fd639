"""The document is OpenAPI 3.1, says who may call what, and needs no other server to be read (F6, P2)."""

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.unit.api.html import json_of

pytestmark = pytest.mark.requirement("F6", "P2")


def test_document_is_valid_openapi_3_1(browser: FlaskClient) -> None:
    document = json_of(browser.get("/openapi.json"))
    assert document["openapi"].startswith("3.1")
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())


def test_every_api_route_is_described_with_its_callers_and_failures(app: APIFlask) -> None:
    operations = _operations(app.spec)
    routes = {
        (method.lower(), rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {key for key in operations if key[1].startswith("/api/v1/")}
    for (method, path), operation in operations.items():
        assert operation["summary"]
        assert "503" in operation["responses"]
        is_open = path in {"/api/v1/otp", "/healthz", "/readyz"} or (method, path) == (
            "post",
            "/api/v1/session",
        )
        assert (operation["security"] == []) is is_open
        assert is_open or {"401", "403"} <= set(operation["responses"])


def test_signed_requests_are_described(app: APIFlask) -> None:
    operations = _operations(app.spec)
    assert operations["post", "/api/v1/settlements"]["security"] == [{"machine": []}]
    names = {one["name"] for one in operations["post", "/api/v1/settlements"]["parameters"]}
    assert "Idempotency-Key" in names


def test_no_page_of_it_loads_from_elsewhere(browser: FlaskClient) -> None:
    assert browser.get("/docs").status_code == 404
    assert b"jsdelivr" not in browser.get("/openapi.json").data


def _operations(document: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
