"""The front door: whoever comes to / goes to their list, or signs in first."""

from apiflask import APIBlueprint
from flask import redirect, url_for
from werkzeug.wrappers import Response

from api import guards

blueprint = APIBlueprint("home", __name__, enable_openapi=False)


@blueprint.get("/")
@guards.public("only sends people on")
def home() -> Response:
    """To the list of the visitor, or to the log-in."""
    visitor = guards.visitor_or_none()
    if visitor is None:
        return redirect(url_for("patient_login.show"), 303)
    return redirect(url_for("staff.list_exams" if visitor.is_staff else "patient_exams.list_exams"), 303)
