"""PID → PatientFacts: who the message is about (v2.5.1 chapter 3.4.2)."""

from core.commands import PatientFacts
from core.idcard import is_id_number
from hl7_engine.er7 import Segment
from hl7_engine.errors import Unreadable
from hl7_engine.profile import Place
from hl7_engine.reading.source import KEY_LENGTH, Source
from hl7_engine.reading.values import best_phone

# PID-3.5, HL7 table 0203: numbers by which the state knows a person. They are personal data and never kept in
# the clear as hospital numbers are.
_IDENTITY_TYPES = frozenset({"NI", "PPN", "SFZ"})
_SEXES = frozenset("MFOU")
_NAME_LENGTH = 128
_PHONE_LENGTH = 32


def read_patient(source: Source) -> PatientFacts:
    """The patient of the message; empty facts without a PID. Raises `Unreadable` for an oversized number."""
    return PatientFacts(
        identifiers=read_numbers(source, "patient_number"),
        name=_name(source),
        id_number=source.key("id_number"),
        phone=_phone(source),
        sex=_sex(source),
        birth_date=source.date("birth_date"),
    )


def read_numbers(source: Source, name: str) -> tuple[tuple[str, str], ...]:
    """(assigner, value) of every hospital number in the profile's places, each once."""
    sender = source.message.get("MSH-3")
    found: dict[tuple[str, str], None] = {}
    for segment, place in source.places(name):
        for kind, assigner, value in _repetitions(segment, place):
            # An identity number under another type, or under none, is one all the same, and is not kept in the clear.
            if kind not in _IDENTITY_TYPES and not is_id_number(value):
                found[(assigner or sender, value)] = None
    return tuple(found)


def _repetitions(segment: Segment, place: Place) -> list[tuple[str, str, str]]:
    """(type, assigner, value) of each repetition that has a value (data type CX)."""
    field = place.field.field
    numbers = []
    for repetition in range(1, segment.count(field) + 1):
        at = f"{field}[{repetition}]"
        value = segment.get(f"{at}.{place.field.component or 1}")
        assigner = segment.get(f"{at}.4.1") or segment.get(f"{at}.4.2")
        if len(value) > KEY_LENGTH or len(assigner) > KEY_LENGTH:
            raise Unreadable(f"{place} repetition {repetition} has more than {KEY_LENGTH} characters")
        if value:
            numbers.append((segment.get(f"{at}.5").upper(), assigner, value))
    return numbers


def _sex(source: Source) -> str:
    sex = source.code("sex")
    if sex and sex not in _SEXES:
        source.notes.append(f"sex {sex[:16]!r} has no meaning: add it to [codes.sex]")
    return sex if sex in _SEXES else "U"


def _name(source: Source) -> str:
    """The name in Chinese characters if there is one, else in Latin letters."""
    ranked = []
    for segment, place in source.places("name"):
        path = place.field
        for repetition in range(1, segment.count(path.field) + 1):
            at = f"{path.field}[{repetition}]"
            if path.component:
                name = segment.get(f"{at}.{path.component}")
                ranked.append((name.isascii(), name))
            else:
                ranked.append(_person_name(segment, at))
    named = [(is_latin, name) for is_latin, name in ranked if name]
    return min(named, key=lambda found: found[0])[1][:_NAME_LENGTH] if named else ""


def _person_name(segment: Segment, at: str) -> tuple[bool, str]:
    """Family and given name (XPN): together in Chinese, with a space between in Latin letters."""
    family, given = segment.get(f"{at}.1.1"), segment.get(f"{at}.2")
    is_ideographic = segment.get(f"{at}.8").upper() == "I" or not (family + given).isascii()
    return not is_ideographic, family + given if is_ideographic else f"{family} {given}".strip()


def _phone(source: Source) -> str:
    """The best of the telephone numbers (XTN)."""
    told: list[str] = []
    for segment, place in source.places("phone"):
        field = place.field.field
        for repetition in range(1, segment.count(field) + 1):
            told.extend(segment.get(f"{field}[{repetition}].{part}") for part in (7, 12, 1))
    return best_phone(told)[:_PHONE_LENGTH]
