"""Staff sign in; doctors find an exam by name, identity number, phone or accession number, open report and film
(P5▲, F9).

What is searched for is personal data, so it travels in a form, not in the URL. With script, htmx swaps the
rows in place.
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
from workflow import search_exams, sign_in

blueprint = APIBlueprint("staff", __name__, enable_openapi=False, url_prefix="/staff")

LONGEST_QUERY = 64


def first_page(role: str) -> str:
    """Where a member of staff begins."""
    return url_for("messages.list_messages" if role == "operator" else "staff.list_exams")


@blueprint.get("/login")
@guards.public("the log-in page")
def show_login() -> Response:
    """Ask for name and password."""
    visitor = guards.visitor_or_none()
    onward = next_page(request.args.get("next", ""), "")
    if visitor is not None and visitor.is_staff:
        return redirect(onward or first_page(visitor.role), 303)
    return make_response(render_template("staff/login.html", onward=onward, username="", problem=""))


@blueprint.post("/login")
@guards.public("the password is the proof")
def enter() -> Response:
    """Open the session and go on."""
    onward = next_page(request.form.get("next", ""), "")
    username = request.form.get("username", "").strip()[:64]
    try:
        new = sign_in.sign_in_staff(platform(), username, request.form.get("password", ""), address())
    except Refused as error:
        page = render_template(
            "staff/login.html", onward=onward, username=username, problem=for_person(error)
        )
        return make_response(page, status_of(error))
    response = redirect(onward or first_page(new.visitor.role), 303)
    cookies.set_session(response, new.token, new.visitor.expires_at)
    return response


@blueprint.get("/exams")
@guards.staff("doctor")
def list_exams() -> str:
    """The newest exams."""
    return _page("")


@blueprint.post("/exams")
@guards.staff("doctor")
def find_exams() -> str:
    """The exams that match what was typed."""
    return _page(request.form.get("q", "").strip()[:LONGEST_QUERY])


def _page(text: str) -> str:
    cards = search_exams.search_exams(platform(), guards.visitor(), text, address())
    template = "staff/_exam_rows.html" if "HX-Request" in request.headers else "staff/exams.html"
    return render_template(template, cards=cards, text=text)
