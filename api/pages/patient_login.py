"""Patients sign in by a code sent to their phone (E6): two small forms, no script.

The phone number travels in forms only. The page says the same whether the hospital knows the number or not.
"""

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api import cookies, guards
from api.errors import status_of
from api.pages.next_page import next_page
from api.pages.wording import for_person
from api.request_scope import address, platform
from core.errors import Refused
from core.masking import mask_phone
from workflow import sign_in

blueprint = APIBlueprint("patient_login", __name__, enable_openapi=False)

LIST = "/exams"


@blueprint.get("/login")
@guards.public("the log-in page")
def show() -> Response:
    """Ask for the phone number."""
    visitor = guards.visitor_or_none()
    onward = next_page(request.args.get("next", ""), LIST)
    if visitor is not None and not visitor.is_staff:
        return redirect(onward, 303)
    return _phone_form(onward)


@blueprint.post("/login/code")
@guards.public("a patient has no session before the code")
def request_code() -> Response:
    """Send the code and ask for it."""
    phone, onward = _phone(), next_page(request.form.get("next", ""), LIST)
    try:
        sign_in.request_code(platform(), phone, address())
    except Refused as error:
        return _phone_form(onward, phone, error)
    return _code_form(onward, phone)


@blueprint.post("/login")
@guards.public("the code is the proof")
def enter() -> Response:
    """Open the session and go on."""
    phone, onward = _phone(), next_page(request.form.get("next", ""), LIST)
    code = "".join(request.form.get("code", "").split())[:6]
    try:
        new = sign_in.sign_in(platform(), phone, code, address())
    except Refused as error:
        return _code_form(onward, phone, error)
    response = redirect(onward, 303)
    cookies.set_session(response, new.token, new.visitor.expires_at)
    return response


@blueprint.post("/logout")
@guards.patient_or_staff
def leave() -> Response:
    """End the session. What the viewer kept on this device goes too: by the header where the browser takes it (https
    only), else by the script of the page that follows (`left`)."""
    visitor = guards.visitor()
    sign_in.sign_out(visitor, guards.session_token(), address())
    door = "staff.show_login" if visitor.is_staff else "patient_login.show"
    response = redirect(url_for(door, left=1), 303)
    response.headers["Clear-Site-Data"] = '"storage"'
    cookies.remove(response, cookies.SESSION)
    return response


def _phone() -> str:
    return "".join(request.form.get("phone", "").split())[:20]


def _phone_form(onward: str, phone: str = "", error: Refused | None = None) -> Response:
    page = render_template(
        "patient/login_phone.html", onward=onward, phone=phone, problem=for_person(error) if error else ""
    )
    return make_response(page, status_of(error) if error else 200)


def _code_form(onward: str, phone: str, error: Refused | None = None) -> Response:
    page = render_template(
        "patient/login_code.html",
        onward=onward,
        phone=phone,
        masked_phone=mask_phone(phone),
        minutes=platform().settings.otp_minutes,
        problem=for_person(error) if error else "",
    )
    return make_response(page, status_of(error) if error else 200)
