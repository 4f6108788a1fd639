"""PID → PatientFacts: who the message is about (v2.5.1 chapter 3.4.2)."""

import re

from core.commands import PatientFacts
from hl7_engine.er7 import Message, Segment
from hl7_engine.errors import Unreadable
from hl7_engine.reading.values import KEY_LENGTH
from hl7_engine.times import parse_date

# PID-3.5, HL7 table 0203: numbers by which the state knows a person. They are personal data and never kept in
# the clear as hospital numbers are.
_IDENTITY_TYPES = ("NI", "PPN")
_SEXES = frozenset("MFO")
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_NAME_LENGTH = 128
_PHONE_LENGTH = 32


def read_patient(message: Message) -> PatientFacts:
    """The patient of the message; empty facts without a PID. Raises `Unreadable` for an oversized number."""
    pid = message.first("PID")
    identities = {kind: value for kind, _, value in _numbers(pid) if kind in _IDENTITY_TYPES}
    sender = message.get("MSH-3")
    sex = pid.get("8").upper()
    return PatientFacts(
        identifiers=tuple(
            dict.fromkeys(
                (assigner or sender, value)
                for kind, assigner, value in _numbers(pid)
                if kind not in _IDENTITY_TYPES
            )
        ),
        name=_name(pid),
        id_number=next((identities[kind] for kind in _IDENTITY_TYPES if kind in identities), ""),
        phone=_phone(pid),
        sex=sex if sex in _SEXES else "U",
        birth_date=parse_date(pid.get("7.1")),
    )


def _numbers(pid: Segment) -> list[tuple[str, str, str]]:
    """(type, assigner, value) of each repetition of PID-3 that has a value."""
    numbers = []
    for place in range(1, pid.count(3) + 1):
        value = pid.get(f"3[{place}].1")
        assigner = pid.get(f"3[{place}].4.1") or pid.get(f"3[{place}].4.2")
        if len(value) > KEY_LENGTH or len(assigner) > KEY_LENGTH:
            raise Unreadable(f"PID-3 repetition {place} has more than {KEY_LENGTH} characters")
        if value:
            numbers.append((pid.get(f"3[{place}].5").upper(), assigner, value))
    return numbers


def _name(pid: Segment) -> str:
    """The name in Chinese characters if there is one, family and given together; else in Latin letters."""
    names = []
    for place in range(1, pid.count(5) + 1):
        family, given = pid.get(f"5[{place}].1.1"), pid.get(f"5[{place}].2")
        is_ideographic = pid.get(f"5[{place}].8").upper() == "I" or not (family + given).isascii()
        name = family + given if is_ideographic else f"{family} {given}".strip()
        if name:
            names.append((not is_ideographic, name))
    return min(names, key=lambda ranked: ranked[0])[1][:_NAME_LENGTH] if names else ""


def _phone(pid: Segment) -> str:
    """A mobile number of PID-13 without its country code, since messages go there; else the first number."""
    told: list[str] = []
    for place in range(1, pid.count(13) + 1):
        numbers = (pid.get(f"13[{place}].{part}") for part in (7, 12, 1))
        told.extend(re.sub(r"[\s()-]", "", number) for number in numbers if number)
    mobiles = (match[1] for match in map(_MOBILE.fullmatch, told) if match)
    return next(mobiles, told[0] if told else "")[:_PHONE_LENGTH]
