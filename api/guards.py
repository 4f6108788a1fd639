"""Who may call a view: every view carries exactly one mark, and one place acts on it before the view runs.

    @public("why")            anybody; says why that is right
    @patient                  a patient's session
    @staff("doctor")          a staff session with one of these roles
    @patient_or_staff         any session
    @signed_machine           a kiosk or till that signs its requests (decision 12)
    @hospital_peer            a system of the hospital, by its address and token (SOAP)

Which exam a visitor may open is not decided here but in `access.rights`. `require_all_guarded` refuses to
start an application with an unmarked view.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from access import hospital_peers, sessions, signed_requests
from access.sessions import Visitor
from access.signed_requests import MachineKey
from api import body_limit, cookies, csrf
from api.errors import SignInRequired
from api.request_scope import address, is_address_believable, platform
from core.errors import Misconfigured, NotAllowed

View = TypeVar("View", bound=Callable[..., Any])


class Caller(Enum):
    """Kinds of callers."""

    ANYBODY = "anybody"
    PATIENT = "patient"
    STAFF = "staff"
    PATIENT_OR_STAFF = "patient or staff"
    MACHINE = "machine"
    HOSPITAL = "hospital"


@dataclass(frozen=True)
class Guard:
    """The mark of a view. `why` is said for public ones; `roles` narrows staff."""

    caller: Caller
    why: str = ""
    roles: frozenset[str] = frozenset()


def public(why: str) -> Callable[[View], View]:
    """Mark a view that anybody may call, with the reason."""
    return lambda view: _mark(view, Guard(Caller.ANYBODY, why=why))


def patient(view: View) -> View:
    """Mark a view for patients."""
    return _mark(view, Guard(Caller.PATIENT))


def patient_or_staff(view: View) -> View:
    """Mark a view for whoever has a session."""
    return _mark(view, Guard(Caller.PATIENT_OR_STAFF))


def staff(*roles: str) -> Callable[[View], View]:
    """Mark a view for staff of one of these roles."""
    return lambda view: _mark(view, Guard(Caller.STAFF, roles=frozenset(roles)))


def signed_machine(view: View) -> View:
    """Mark a view for machines that sign."""
    return _mark(view, Guard(Caller.MACHINE))


def hospital_peer(view: View) -> View:
    """Mark a view for the hospital's own systems, which do not sign."""
    return _mark(view, Guard(Caller.HOSPITAL))


def guard_of(view: Callable[..., Any]) -> Guard | None:
    """The mark of a view, if it has one."""
    guard: Guard | None = getattr(view, "guard", None)
    return guard


def install(app: Flask) -> None:
    """Ask the guard of the view before every request."""
    app.before_request(_enforce)


def require_all_guarded(app: Flask) -> None:
    """Raise `Misconfigured` naming the views without a mark."""
    unmarked = sorted(name for name, view in app.view_functions.items() if guard_of(view) is None)
    if unmarked:
        raise Misconfigured(f"views without a guard: {', '.join(unmarked)}; mark them by api/guards.py")


def visitor() -> Visitor:
    """The signed-in person of a guarded view."""
    found = visitor_or_none()
    if found is None:
        raise SignInRequired("sign in first")
    return found


def visitor_or_none() -> Visitor | None:
    """The signed-in person, if any; asked once per request."""
    if "visitor" not in g:
        token = session_token()
        g.visitor = sessions.visitor_of(token) if token else None
    found: Visitor | None = g.visitor
    return found


def staff_role() -> str:
    """The role of the member of staff for whom a page is made; empty for others."""
    found = visitor_or_none()
    return found.role if found is not None and found.is_staff else ""


def session_token() -> str:
    """The session's token: `Authorization: Bearer` of the mini-program and tools, or the browser's cookie."""
    return _bearer_token() or request.cookies.get(cookies.SESSION, "")


def machine() -> MachineKey:
    """The machine that signed the request of a `@signed_machine` view."""
    found: MachineKey = g.machine
    return found


def hospital_peer_name() -> str:
    """The name of the token of a `@hospital_peer` view's caller; empty where addresses alone count."""
    name: str = g.hospital_peer
    return name


def page_token() -> str:
    """The CSRF token for the forms of the page that is being made."""
    guard = guard_of(current_app.view_functions[request.endpoint or "static"])
    if guard is None or guard.caller is Caller.ANYBODY:
        return csrf.form_token()
    return visitor().csrf_token


def _mark(view: View, guard: Guard) -> View:
    if guard_of(view) is not None:
        raise Misconfigured(f"{view.__name__} has two guards")
    view.guard = guard  # type: ignore[attr-defined]
    return view


def _enforce() -> None:
    if request.endpoint is None:
        return
    guard = guard_of(current_app.view_functions[request.endpoint])
    if guard is None:
        raise NotAllowed(f"{request.endpoint} has no guard")
    if guard.caller is Caller.ANYBODY:
        csrf.require_before_session()
    elif guard.caller is Caller.MACHINE:
        g.machine = signed_requests.verify(
            platform().machine_keys,
            request.method,
            _target(),
            request.headers,
            body_limit.read(),
        )
    elif guard.caller is Caller.HOSPITAL:
        if not is_address_believable():
            raise NotAllowed("the call came through a proxy: set CLOUDFILM_TRUSTED_PROXIES")
        g.hospital_peer = hospital_peers.verify(platform().hospital_peers, address(), request.headers)
        csrf.require_no_browser()
    else:
        _require_person(guard, visitor())


def _require_person(guard: Guard, person: Visitor) -> None:
    if guard.caller is Caller.PATIENT and person.is_staff:
        raise NotAllowed("this page is for patients")
    if guard.caller is Caller.STAFF and not (person.is_staff and person.role in guard.roles):
        raise NotAllowed(f"this page is for staff: {', '.join(sorted(guard.roles))}")
    if not _bearer_token():
        csrf.require_for_session(person)


def _target() -> str:
    """Path and query as they came: what was signed."""
    query = request.query_string.decode("ascii", errors="replace")
    return f"{request.path}?{query}" if query else request.path


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
