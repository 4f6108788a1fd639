"""Two people: another one approves, for exactly this, once, in time."""

import pytest

from crypto.errors import RoleRefused
from crypto.roles.permissions import Role, Session
from tests.unit.crypto.roles.people import Office

pytestmark = pytest.mark.requirement("H2.7")

FIRST, SECOND, THIRD = (Session(name, Role.ADMINISTRATOR) for name in ("first", "second", "third"))
KEY = {"key_id": "k1"}


def _ask(office: Office) -> str:
    return office.dual.request(FIRST, "destroy", KEY, "patient left")


def _state(office: Office, approval_id: str) -> str:
    return next(approval.state for approval in office.dual.all() if approval.id == approval_id)


def test_another_approves_and_the_first_uses_it_once(office: Office) -> None:
    approval_id = _ask(office)
    assert _state(office, approval_id) == "open"
    approved = office.dual.approve(SECOND, approval_id)
    assert (approved.requested_by, approved.approved_by, approved.state) == ("first", "second", "approved")
    office.dual.use(FIRST, approval_id, "destroy", KEY)
    assert _state(office, approval_id) == "used"
    with pytest.raises(RoleRefused, match="used"):
        office.dual.use(FIRST, approval_id, "destroy", KEY)


def test_nobody_approves_himself(office: Office) -> None:
    approval_id = _ask(office)
    with pytest.raises(RoleRefused, match="another administrator"):
        office.dual.approve(FIRST, approval_id)
    with pytest.raises(RoleRefused, match="open, not approved"):
        office.dual.use(FIRST, approval_id, "destroy", KEY)


@pytest.mark.parametrize("session", [SECOND, THIRD])
def test_only_who_asked_may_use_it(office: Office, session: Session) -> None:
    approval_id = _ask(office)
    office.dual.approve(SECOND, approval_id)
    with pytest.raises(RoleRefused, match="first asked"):
        office.dual.use(session, approval_id, "destroy", KEY)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("restore", KEY), ("destroy", {"key_id": "k2"}), ("destroy", {}), ("destroy", {**KEY, "more": "x"})],
)
def test_it_is_for_nothing_else(office: Office, operation: str, arguments: dict[str, str]) -> None:
    approval_id = _ask(office)
    office.dual.approve(SECOND, approval_id)
    with pytest.raises(RoleRefused, match="not for this"):
        office.dual.use(FIRST, approval_id, operation, arguments)
    office.dual.use(FIRST, approval_id, "destroy", KEY)


def test_four_hours_and_it_is_over(office: Office) -> None:
    early, late = _ask(office), _ask(office)
    office.clock.pass_time(hours=3, minutes=59)
    office.dual.approve(SECOND, early)
    office.clock.pass_time(minutes=1)
    with pytest.raises(RoleRefused, match="expired"):
        office.dual.use(FIRST, early, "destroy", KEY)
    with pytest.raises(RoleRefused, match="expired"):
        office.dual.approve(SECOND, late)


def test_a_withdrawn_request_is_over(office: Office) -> None:
    approval_id = _ask(office)
    office.dual.approve(SECOND, approval_id)
    office.dual.withdraw(approval_id)
    with pytest.raises(RoleRefused, match="withdrawn"):
        office.dual.use(FIRST, approval_id, "destroy", KEY)
    with pytest.raises(RoleRefused, match="withdrawn"):
        office.dual.withdraw(approval_id)


def test_approving_twice_is_refused(office: Office) -> None:
    approval_id = _ask(office)
    office.dual.approve(SECOND, approval_id)
    with pytest.raises(RoleRefused, match="approved, not open"):
        office.dual.approve(THIRD, approval_id)


def test_a_reason_is_needed_and_an_unknown_request_is_refused(office: Office) -> None:
    with pytest.raises(RoleRefused, match="say why"):
        office.dual.request(FIRST, "destroy", KEY, " ")
    with pytest.raises(RoleRefused, match="there is none"):
        office.dual.approve(SECOND, "0" * 16)


def test_a_use_that_is_rolled_back_is_not_spent(office: Office) -> None:
    approval_id = _ask(office)
    office.dual.approve(SECOND, approval_id)
    with pytest.raises(OSError), office.database.transaction():
        office.dual.use(FIRST, approval_id, "destroy", KEY)
        raise OSError
    office.dual.use(FIRST, approval_id, "destroy", KEY)
