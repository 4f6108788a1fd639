"""The one table of rights: what each role may ask for.

yes: alone. two: after another administrator approved this very request (`dual_control`); accounts are added alone as long as
there is no second administrator who could approve. `-`: refused and recorded.
Every public method of the guarded classes has a row here; a test compares them.
"""

from enum import StrEnum
from typing import NamedTuple

from crypto.errors import RoleRefused


class Role(StrEnum):
    """What an account is for. One account has one role."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Session(NamedTuple):
    """Who asks: made by `Accounts` after it knows, never by a request's own words."""

    account: str
    role: Role


_ROLES = (Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR)

TABLE = """
    operation                           administrator  operator  auditor

    Administration.create_pairs         yes            -         -
    Administration.create_keys          yes            -         -
    Administration.create_kek           yes            -         -
    Administration.rotate_kek           yes            -         -
    Administration.set_minimum_version  yes            -         -
    Administration.rewrap               yes            -         -
    Administration.activate             yes            -         -
    Administration.deactivate           yes            -         -
    Administration.compromise           yes            -         -
    Administration.destroy              two            -         -
    Administration.export               two            -         -
    Administration.seal                 yes            -         -
    Administration.backup               yes            -         -

    Administration.request              yes            -         -
    Administration.approve              yes            -         -
    Administration.withdraw             yes            -         -
    Administration.add_account          two            -         -
    Administration.add_machine          two            -         -
    Administration.remove_account       two            -         -
    Administration.unlock_account       yes            -         -

    Operation.sign                      -              yes       -
    Operation.sign_many                 -              yes       -
    Operation.verify                    -              yes       -
    Operation.verify_many               -              yes       -
    Operation.encrypt                   -              yes       -
    Operation.encrypt_many              -              yes       -
    Operation.decrypt                   -              yes       -
    Operation.decrypt_many              -              yes       -
    Operation.gcm_seal                  -              yes       -
    Operation.gcm_seal_many             -              yes       -
    Operation.gcm_open                  -              yes       -
    Operation.gcm_open_many             -              yes       -
    Operation.ctr_encrypt               -              yes       -
    Operation.ctr_decrypt               -              yes       -
    Operation.cbc_encrypt               -              yes       -
    Operation.cbc_encrypt_many          -              yes       -
    Operation.cbc_decrypt               -              yes       -
    Operation.mac                       -              yes       -
    Operation.mac_many                  -              yes       -
    Operation.verify_mac                -              yes       -
    Operation.derive                    -              yes       -
    Operation.digest                    -              yes       -
    Operation.digest_many               -              yes       -
    Operation.generate_many             -              yes       -
    Operation.generate_rsa              -              yes       -
    Operation.begin_exchange            -              yes       -

    DataKeys.wrap_dek                   -              yes       -
    DataKeys.unwrap_dek                 -              yes       -
    DataKeys.seal_blobs                 -              yes       -
    DataKeys.open_blobs                 -              yes       -
    DataKeys.blind_indexes              -              yes       -
    DataKeys.derive                     -              yes       -
    DataKeys.active_version             -              yes       -

    Inspection.find                     yes            yes       yes
    Inspection.counts                   yes            yes       yes
    Inspection.records                  yes            -         yes
    Inspection.accounts                 yes            -         yes
    Inspection.approvals                yes            -         yes
    Inspection.verify_audit             yes            -         yes
    Inspection.events                   -              -         yes
    Inspection.audit_head               -              -         yes
"""


class Right(NamedTuple):
    """What the table says about one operation and one role."""

    is_allowed: bool
    needs_second: bool


def right(operation: str, role: Role) -> Right:
    """`operation` as `Class.method`. Raises `KeyError` for one that is not in the table."""
    return RIGHTS[operation][role]


def require(operation: str, session: Session) -> Right:
    """The right of this session. Raises `RoleRefused` when it has none."""
    found = right(operation, session.role)
    if not found.is_allowed:
        raise RoleRefused(
            f"account {session.account} is {session.role}: it may not {_words(operation)}; "
            "ask someone whose role it is (docs/crypto-roles.md)"
        )
    return found


def _words(operation: str) -> str:
    return operation.partition(".")[2].replace("_", " ")


def _parse(table: str) -> dict[str, dict[Role, Right]]:
    rows = [line.split() for line in table.splitlines() if line.strip()][1:]
    cells = {"yes": Right(True, False), "two": Right(True, True), "-": Right(False, False)}
    return {row[0]: {role: cells[cell] for role, cell in zip(_ROLES, row[1:], strict=True)} for row in rows}


RIGHTS = _parse(TABLE)
# What `Administration.request` may ask a second person for.
TWO_PERSON = frozenset(
    operation.partition(".")[2]
    for operation, rights in RIGHTS.items()
    if any(found.needs_second for found in rights.values())
)
