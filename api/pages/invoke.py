"""The link by which HIS, RIS or EMR opens images: IHE Invoke Image Display, RAD-106 (F6, docs/invoke.md).

Who is not signed in signs in first and comes back. One match opens its film, several are listed.
"""

import re
from datetime import datetime

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from api import guards
from api.pages.presentation import HOSPITAL_ZONE
from api.request_scope import address, platform
from workflow import invoke_display
from workflow.invoke_display import MOST, PatientRequest, StudyRequest

blueprint = APIBlueprint("invoke", __name__, enable_openapi=False)

LONGEST = 64
# ISO 8601 or HL7: from a year to seconds, with or without zone.
_DIGITS = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")


@blueprint.get("/IHEInvokeImageDisplay")
@guards.staff("doctor")
def invoke() -> Response:
    """Find what is asked for and open it."""
    asked = _asked()
    cards = invoke_display.find_to_display(platform(), guards.visitor(), asked, address())
    if len(cards) == 1:
        return redirect(url_for("film.show", exam_id=cards[0].exam_id), 303)
    page = render_template("staff/invoke.html", cards=cards, asked=_in_words(asked))
    return make_response(page, 200 if cards else 404)


def _asked() -> StudyRequest | PatientRequest:
    """Raises `BadRequest` for what the profile does not know."""
    kind = request.args.get("requestType", "")
    if kind == "STUDY":
        uids, numbers = _list("studyUID"), _list("accessionNumber")
        if not uids and not numbers:
            raise BadRequest("STUDY needs studyUID or accessionNumber")
        return StudyRequest(uids, [] if uids else numbers)
    if kind == "PATIENT":
        return _patient()
    raise BadRequest("requestType is STUDY or PATIENT")


def _patient() -> PatientRequest:
    # HL7 CX: number^^^assigner, the assigner as namespace&universal id&type (HL7 v2 §2.A.14).
    parts = request.args.get("patientID", "").split("^")
    number = parts[0].strip()
    if not number or len(number) > LONGEST:
        raise BadRequest("PATIENT needs patientID")
    most = request.args.get("mostRecentResults", "0")
    if not most.isascii() or not most.isdigit() or len(most) > 6:
        raise BadRequest("mostRecentResults is a whole number")
    names = parts[3].split("&") if len(parts) > 3 else []
    return PatientRequest(
        number=number,
        assigner=next((name for name in names[:2] if name), "")[:LONGEST],
        most=int(most),
        modalities=_list("modalitiesInStudy"),
        since=_moment("lowerDateTime"),
        until=_moment("upperDateTime"),
    )


def _list(name: str) -> list[str]:
    """A comma-separated list, of values that can be numbers of ours at all."""
    values = [value.strip() for value in request.args.get(name, "").split(",")]
    found = [value for value in values if value]
    if len(found) > MOST or any(len(value) > LONGEST for value in found):
        raise BadRequest(f"{name} has too many or too long values")
    return found


def _moment(name: str) -> datetime | None:
    """A time in the hospital's zone."""
    text = request.args.get(name, "")
    if not text:
        return None
    found = _DIGITS.match(re.sub(r"[-:T ]", "", text[:19]))
    if not found:
        raise BadRequest(f"{name} is no time")
    year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
    try:
        return datetime(
            year or 1, month or 1, day or 1, hour or 0, minute or 0, second or 0, tzinfo=HOSPITAL_ZONE
        )
    except ValueError:
        raise BadRequest(f"{name} is no time") from None


def _in_words(asked: StudyRequest | PatientRequest) -> str:
    if isinstance(asked, PatientRequest):
        return f"患者号 {asked.number}"
    if asked.study_uids:
        return f"检查 UID {'、'.join(asked.study_uids)}"
    return f"检查号 {'、'.join(asked.accession_numbers)}"
