"""Signing in without a page: for the mini-program and for tools (E6, K5)."""

from apiflask import APIBlueprint
from flask import Response, jsonify, make_response

from api import cookies, guards
from api.request_scope import address, platform
from api.v1.schemas import PhoneIn, SessionOut, SignInIn
from workflow import sign_in

blueprint = APIBlueprint("v1_session", __name__, url_prefix="/api/v1", tag="Session")


@blueprint.post("/otp")
@guards.public("a patient has no session before the code")
@blueprint.input(PhoneIn)
@blueprint.output({}, 204)
def request_code(json_data: dict[str, str]) -> str:
    """Send a one-time code

    The answer is the same whether the hospital knows the phone or not.
    """
    sign_in.request_code(platform(), json_data["phone"], address())
    return ""


@blueprint.post("/session")
@guards.public("the code is the proof")
@blueprint.input(SignInIn)
@blueprint.output(SessionOut, 201)
def open_session(json_data: dict[str, str]) -> Response:
    """Sign in with the code"""
    new = sign_in.sign_in(platform(), json_data["phone"], json_data["code"], address())
    response = make_response(
        jsonify(
            token=new.token,
            csrf_token=new.visitor.csrf_token,
            expires_at=new.visitor.expires_at.isoformat(),
        ),
        201,
    )
    cookies.set_session(response, new.token, new.visitor.expires_at)
    return response


@blueprint.delete("/session")
@guards.patient_or_staff
@blueprint.output({}, 204)
def close_session() -> Response:
    """Sign out"""
    sign_in.sign_out(guards.visitor(), guards.session_token(), address())
    response = make_response("", 204)
    cookies.remove(response, cookies.SESSION)
    return response
