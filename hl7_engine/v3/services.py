"""Which service of the national platform means what: by its name, its number, or the root element of its message.

The `action` of HIPMessageServer is a name (CheckAppInfoAdd), a number (S0041, in the numbering of the platform's test),
empty, or a vendor's own word. One that is not known here is looked up by the message: its interactionId and its root
element, and for the roots that several services share (POOR_IN200901UV of orders, laboratory, imaging, surgery) by what
is inside.
"""

import re
from collections.abc import Callable

from hl7_engine import profile as profiles
from hl7_engine.errors import Unsupported
from hl7_engine.profile import Profile
from hl7_engine.v3 import oids, order, patient, progress, report
from hl7_engine.v3.facts import Letter, shown
from hl7_engine.v3.tree import Node, parse

Read = Callable[[Letter], list[object]]

READERS: dict[str, Read] = {
    "PatientInfoRegister": patient.register,
    "PatientInfoUpdate": patient.register,
    "PatientInfoMerge": patient.merge,
    "EncounterCardInfoAdd": patient.register,
    "EncounterCardInfoUpdate": patient.register,
    "OutPatientInfoAdd": patient.register,
    "OutPatientInfoUpdate": patient.register,
    "InPatientInfoAdd": patient.register,
    "InPatientInfoUpdate": patient.register,
    "CheckAppInfoAdd": order.read,
    "CheckAppInfoUpdate": order.read,
    "CheckAppointStatusInfoAdd": progress.booked,
    "CheckAppointStatusInfoUpdate": progress.moved,
    "CheckStatusInfoUpdate": progress.states,
    "DocumentRegister": report.read,
}

# The platform's test numbers its services; vendors use the same form for their own (S0069, S0082).
_BY_NUMBER = {
    "S0001": "PatientInfoRegister",
    "S0002": "PatientInfoUpdate",
    "S0003": "PatientInfoMerge",
    "S0014": "DocumentRegister",
    "S0017": "EncounterCardInfoAdd",
    "S0018": "EncounterCardInfoUpdate",
    "S0023": "OutPatientInfoAdd",
    "S0024": "OutPatientInfoUpdate",
    "S0026": "InPatientInfoAdd",
    "S0027": "InPatientInfoUpdate",
    "S0041": "CheckAppInfoAdd",
    "S0042": "CheckAppInfoUpdate",
    "S0056": "CheckAppointStatusInfoAdd",
    "S0057": "CheckAppointStatusInfoUpdate",
    "S0061": "CheckStatusInfoUpdate",
}
_BY_ROOT = {
    "PRPA_IN201311UV02": "PatientInfoRegister",
    "PRPA_IN201314UV02": "PatientInfoUpdate",
    "PRPA_IN201304UV02": "PatientInfoMerge",
    "PRPA_IN400001UV": "OutPatientInfoAdd",
    "PRPA_IN400002UV": "OutPatientInfoUpdate",
    "PRSC_IN010101UV01": "CheckAppointStatusInfoAdd",
    "PRSC_IN010201UV01": "CheckAppointStatusInfoUpdate",
    "PROVIDEANDREGISTERDOCUMENTSETREQUEST": "DocumentRegister",
    "PROVIDEANDREGISTERDOCUMENTSETREQUESTTYPE": "DocumentRegister",
    "CLINICALDOCUMENT": "DocumentRegister",
}
# What orders, laboratory, imaging and surgery have in common.
_SHARED_ROOTS = ("POOR_IN200901UV", "POOR_IN200902UV")
_OF_SHARED_ROOTS = frozenset({"CheckAppInfoAdd", "CheckAppInfoUpdate", "CheckStatusInfoUpdate"})
# Services of the same platform that mean something else; their messages may look like ours.
_SUBJECTS = (
    *("Terminology", "OrganizationInfo", "ProviderInfo", "TransferInfo", "DischargeInfo", "OrderInfo"),
    *("ExamAppInfo", "PathologyAppInfo", "BloodTransAppInfo", "OperationAppInfo", "SourceAndScheduleInfo"),
    *("OutPatientAppointStatusInfo", "OrderFillerStatusInfo", "ExamStatusInfo", "OperationScheduleInfo"),
    *("OperationStatusInfo", "ExamReport", "PathologyReport"),
)
_VERBS = ("Add", "Update", "Register", "Delete")
_OTHERS = frozenset(f"{subject}{verb}".lower() for subject in _SUBJECTS for verb in _VERBS)
_QUERIES = ("query", "access", "retrieve")
_BY_NAME = {name.lower(): name for name in READERS}
_NUMBER = re.compile(r"S\d{4}", re.IGNORECASE)
_STANDARD_FILM_ITEM = "YYX0001"


def read(
    action: str, content: bytes, profile: Profile | None = None, film_item_code: str = _STANDARD_FILM_ITEM
) -> list[object]:
    """The commands (core/commands.py) in a message of the national platform.

    Raises `Unreadable` for what makes no sense, `Unsupported` for a service that is not read.
    """
    root = parse(content)
    letter = Letter(root, profile or profiles.load(profiles.STANDARD), film_item_code)
    return READERS[service_of(action, letter)](letter)


def service_of(action: str, letter: Letter) -> str:
    """The service's name. Raises `Unsupported` listing those that are read."""
    ours = letter.profile.codes["v3_action"]
    told = [action.strip(), letter.root.at("interactionId").get("extension")]
    for word in (ours.get(word, word) for word in told):
        if word.lower() in _BY_NAME:
            return _BY_NAME[word.lower()]
        if word.lower() in _OTHERS or word.lower().endswith(_QUERIES):
            raise _unknown(word)
    return _by_number(told, letter) or _by_message(letter.root) or _refuse(told, letter.root)


def _by_number(told: list[str], letter: Letter) -> str:
    """By the platform's number, where the message is of the kind that the number stands for."""
    numbered = [word.upper() for word in told if _NUMBER.fullmatch(word)]
    is_shared = letter.root.name.upper().startswith(_SHARED_ROOTS)
    for word in numbered:
        service = _BY_NUMBER.get(word, "")
        if service and (service in _OF_SHARED_ROOTS) == is_shared:
            return service
    if numbered and is_shared:
        raise _unknown(numbered[0])
    return ""


def _by_message(root: Node) -> str:
    """By the root element; where services share it, by what is inside; empty when neither tells."""
    name = root.name.upper()
    if not name.startswith(_SHARED_ROOTS):
        return _BY_ROOT.get(name, "")
    subject = root.at("controlActProcess/subject")
    if any(subject.at("placerGroup/component2/observationRequest").inside("processStep")):
        return "CheckStatusInfoUpdate" if name.startswith("POOR_IN200902UV") else ""
    items = [item for part in subject.at("observationRequest").all("component2") for item in part.children]
    # Imaging has a method and a part of the body, the laboratory a specimen.
    if any(item.at("targetSiteCode") or _has_method(item) for item in items):
        return "CheckAppInfoAdd"
    return ""


def _has_method(item: Node) -> bool:
    return any(entry.get("codeSystem") == oids.EXAM_METHOD for entry in item.at("methodCode").all("item"))


def _refuse(told: list[str], root: Node) -> str:
    raise _unknown(next(filter(None, [*told, root.name])))


def _unknown(word: str) -> Unsupported:
    return Unsupported(
        f"{shown(word)} is no service that is read here: {', '.join(READERS)}; name it in [codes.v3_action]"
    )
