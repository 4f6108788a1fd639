"""`create_app(platform)`: the whole of HTTP in one application.

Nothing here is global: a test makes as many applications as it likes.
"""

from pathlib import Path

from apiflask import APIFlask
from flask import Flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from api import body_limit, csrf, errors, guards, headers, health, openapi, request_scope, static_files
from api.hip import views as hip
from api.pages import (
    account,
    documents,
    film,
    home,
    invoke,
    legacy,
    messages,
    operations,
    patient_exams,
    patient_login,
    presentation,
    staff,
)
from api.v1 import annotations, exams, films, intake, live_rooms, session, settlements
from workflow.context import Platform

VERSION = "1.0"
# Where `web/` is built to, served at /static/dist/.
DIST = Path(__file__).parent / "static" / "dist"


def create_app(platform: Platform) -> APIFlask:
    """The application for `platform`. Raises `Misconfigured` when a view has no guard."""
    app = APIFlask("api", title="CloudFilm 云胶片", version=VERSION, docs_path=None, json_errors=False)
    app.extensions["cloudfilm"] = platform
    _write_json_plainly(app)
    request_scope.install(app)
    static_files.install(app)
    body_limit.install(app)
    headers.install(app)
    csrf.install(app)
    guards.install(app)
    errors.install(app)
    presentation.install(app)
    openapi.describe(app)
    for room in (
        home,
        patient_login,
        patient_exams,
        film,
        legacy,
        invoke,
        documents,
        account,
        staff,
        messages,
        operations,
    ):
        app.register_blueprint(room.blueprint)
    for room in (exams, annotations, films, live_rooms, session, settlements, intake, hip, health):
        app.register_blueprint(room.blueprint)
    guards.public("scripts and styles hold nothing of a person")(app.view_functions["static"])
    guards.public("describes the API; holds no data")(app.view_functions["openapi.spec"])
    guards.require_all_guarded(app)
    hops = platform.settings.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


def _write_json_plainly(app: Flask) -> None:
    """Chinese as it is and fields in the order of the code: half the bytes of a manifest inside a page."""
    provider = DefaultJSONProvider(app)
    provider.ensure_ascii = False
    provider.sort_keys = False
    provider.compact = True
    app.json = provider
