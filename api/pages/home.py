"""The front door: whoever comes to / goes to their list, or signs in first."""

from apiflask import APIBlueprint
from flask import redirect, url_for
from werkzeug.wrappers import Response

from api import guards
from api.pages.staff import first_page

blueprint = APIBlueprint("home", __name__, enable_openapi=False)


@blueprint.get("/")
@guards.public("only sends people on")
def home() -> Response:
    """To the list of the visitor, or to the log-in."""
    visitor = guards.visitor_or_none()
    if visitor is None:
        return redirect(url_for("patient_login.show"), 303)
    if visitor.is_staff:
        return redirect(first_page(visitor.role), 303)
    return redirect(url_for("patient_exams.list_exams"), 303)
