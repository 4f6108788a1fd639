"""Every public method of every guarded class, asked by every role, against the table. A method without a row is red."""

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crypto.errors import RoleRefused
from crypto.keyring import WrappedKey
from crypto.roles.administration import Administration
from crypto.roles.data_keys import DataKeys
from crypto.roles.inspection import Inspection
from crypto.roles.operation import Operation
from crypto.roles.permissions import RIGHTS, Role, Session
from crypto.services import CryptoServices
from crypto.sm2.exchange import Peer
from crypto.vault.database import KeyDatabase
from tests.unit.crypto.roles.people import Clock, Office, make_argon2_cheap

pytestmark = pytest.mark.requirement("H2.7")

CLASSES = (Administration, Operation, DataKeys, Inspection)
# What no role may ever get from a class: these words in a method's name would be another role's work.
KEY_WORK = {
    "sign",
    "verify",
    "encrypt",
    "decrypt",
    "seal_blobs",
    "open_blobs",
    "unwrap_dek",
    "wrap_dek",
    "mac",
}
MANAGEMENT = {
    "create",
    "rotate",
    "destroy",
    "compromise",
    "rewrap",
    "account",
    "approve",
    "restore",
    "backup",
}


def _public_methods(kind: type) -> list[str]:
    return [name for name, value in inspect.getmembers(kind, callable) if not name.startswith("_")]


def _all_methods() -> list[str]:
    return [f"{kind.__name__}.{name}" for kind in CLASSES for name in _public_methods(kind)]


class Reached(BaseException):
    """The guard let the request through to the work behind it."""


class Behind:
    """Stands for vault, services and keyring; whoever gets here passed the guard."""

    def __init__(self, office: Office) -> None:
        self.database = office.database

    def __getattr__(self, name: str) -> Any:
        raise Reached(name)


def _argument(annotation: Any) -> Any:
    """Something of the annotated type."""
    if annotation is Role:
        return Role.OPERATOR
    if annotation is bool:
        return True
    if annotation is Peer:
        return Peer(bytes(64))
    if annotation is WrappedKey:
        return WrappedKey(1, b"blob")
    if annotation in (str, bytes, int):
        return {str: "name", bytes: b"0" * 16, int: 1}[annotation]
    origin = typing.get_origin(annotation)
    if origin is dict:
        return {"key_id": "name"}
    if origin is Callable or annotation is Callable:
        return _reach
    return [_argument(typing.get_args(annotation)[0])]


def _reach(*_: object) -> None:
    raise Reached


def _ask(office: Office, operation: str, role: Role) -> None:
    """Call one method as one role. Raises `Reached` when the work behind would have been done."""
    class_name, _, method = operation.partition(".")
    session = Session(f"the-{role}", role)
    behind: Any = Behind(office)
    guarded: dict[str, Any] = {
        "Administration": lambda: Administration(
            behind, office.accounts, office.dual, office.audit, behind, session
        ),
        "Operation": lambda: Operation(behind, behind, office.audit, session),
        "DataKeys": lambda: DataKeys(behind, office.database, office.audit, session),
        "Inspection": lambda: Inspection(behind, office.accounts, office.dual, office.audit, session),
    }
    call = getattr(guarded[class_name](), method)
    hints = typing.get_type_hints(call)
    needed = {
        name: _argument(hints[name])
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    call(**needed)


def test_the_table_has_every_public_method_and_no_other() -> None:
    assert sorted(RIGHTS) == sorted(_all_methods())


def test_services_that_are_offered_at_all_are_offered_under_guard() -> None:
    """A new service of `CryptoServices` without a guarded form is noticed here; `limits` and `generate` need none."""
    assert set(_public_methods(CryptoServices)) - set(_public_methods(Operation)) == {"generate"}


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One office for all cases: each looks at the rows after it began."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_argon2_cheap(monkeypatch)
        office = Office(KeyDatabase(tmp_path_factory.mktemp("office") / "keys.db"), Clock())
        for role in Role:
            office.hire(f"the-{role}", role)
        office.hire("another-administrator", Role.ADMINISTRATOR)
        yield office


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("operation", _all_methods())
def test_every_method_obeys_the_table(staffed: Office, operation: str, role: Role) -> None:
    office = staffed
    right = RIGHTS[operation][role]
    before = office.audit.head()[0]
    try:
        _ask(office, operation, role)
        outcome = "let through"
    except Reached:
        outcome = "let through"
    except RoleRefused as refusal:
        outcome = "refused" if "it may not" in str(refusal) else "second person"
    rows = [row.event for row in office.audit.rows(after=before)]
    if not right.is_allowed:
        assert outcome == "refused"
        assert [(event.operation, event.outcome) for event in rows] == [(operation, "refused: role")]
    elif right.needs_second:
        assert outcome == "second person"
        assert [(event.operation, event.outcome) for event in rows] == [(operation, "failed: RoleRefused")]
    else:
        assert outcome != "refused"
    assert all((event.account, event.role) == (f"the-{role}", role) for event in rows)


def test_nobody_both_manages_and_uses_keys() -> None:
    for operation, rights in RIGHTS.items():
        allowed = {role for role, right in rights.items() if right.is_allowed}
        class_name, _, method = operation.partition(".")
        if class_name in ("Operation", "DataKeys"):
            assert allowed == {Role.OPERATOR}, operation
        if class_name == "Administration":
            assert allowed == {Role.ADMINISTRATOR}, operation
            assert not any(method.startswith(word) for word in KEY_WORK), operation
        if class_name == "Operation":
            assert not any(word in method for word in MANAGEMENT), operation


def test_what_cannot_be_undone_needs_two() -> None:
    for method in ("destroy", "export", "add_account", "add_machine", "remove_account"):
        assert RIGHTS[f"Administration.{method}"][Role.ADMINISTRATOR].needs_second
