"""Reports 检查报告: the CDA document C0006 (WS/T 483.6), bare or inside a DocumentRegister, as XML, as text or as base64.

| what | where in the document |
|---|---|
| application number | recordTarget/patientRole/id of 2.16.156.10011.1.24 |
| findings 客观所见 | observation DE04.50.131.00 |
| impression 主观提示 | observation DE04.50.132.00, or …131 with this name |
| reporter, approver, time | author; legalAuthenticator and its time, else the author's, else effectiveTime |
| corrected | relatedDocument RPLC with a parent, or a version above 1 |
| PDF | nonXMLBody/text or observationMedia/value with mediaType application/pdf |
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from core.commands import DeliverReport
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported
from hl7_engine.v3 import oids, patient
from hl7_engine.v3.facts import Letter, coded, named, number, numbers, shown
from hl7_engine.v3.order import application_number
from hl7_engine.v3.progress import study_uids
from hl7_engine.v3.tree import Node, parse

DOCUMENT = "clinicaldocument"
_FINDINGS = "DE04.50.131.00"
_IMPRESSION = "DE04.50.132.00"
_CATEGORY = "DE04.30.018.00"
_ITEM = "DE04.30.019.00"
_OBJECTIVE = "客观"
_SUBJECTIVE = "主观"
_ITEM_NAME_LENGTH = 128
_MODALITY_LENGTH = 16
_VERSION_DIGITS = 9
# Shorter texts hold no document.
_SHORTEST = 64
_BLANKS = re.compile(r"\s+")


def read(letter: Letter) -> list[object]:
    """One `DeliverReport`. Raises `Unreadable` or `Unsupported`."""
    document = _document(letter.root)
    code = document.at("code").get("code")
    if code != oids.EXAM_REPORT:
        raise Unsupported(f"ClinicalDocument/code is {shown(code)}: of CDA documents C0006 检查报告 is read")
    letter = replace(letter, root=document)
    role = document.at("recordTarget/patientRole")
    written_at = letter.moment(document.at("effectiveTime"), "effectiveTime")
    approver = named(document.at("legalAuthenticator/assignedEntity/assignedPerson"))
    findings, impression = _texts(document)
    pdf = _pdf(document)
    if not findings and not impression and pdf is None:
        raise Unreadable("the report has no findings, no impression and no PDF", REQUIRED_FIELD_MISSING)
    return [
        DeliverReport(
            accession_number=number((document, role), oids.ACCESSION, "accession_number"),
            placer_order_number=application_number(role),
            patient=patient.of_document(letter, document),
            status="C" if _is_correction(document) else "F",
            findings=findings,
            impression=impression,
            reporter=named(document.at("author/assignedAuthor/assignedPerson")) or approver,
            approver=approver,
            approved_at=_approved_at(letter) or written_at or letter.said_at,
            study_uids=study_uids([*numbers(document), *numbers(role)]),
            document=pdf,
            document_type="application/pdf" if pdf else "",
            item_name=_value(document, _ITEM)[:_ITEM_NAME_LENGTH],
            modality=_modality(letter, document),
            said_at=written_at or letter.said_at,
        )
    ]


def _document(root: Node) -> Node:
    """The CDA document: the message itself, inside it, or inside one of its texts."""
    for node in root.everything():
        if node.name.lower() == DOCUMENT:
            return node
    for content in _packed(root):
        inner = parse(content)
        for node in inner.everything():
            if node.name.lower() == DOCUMENT:
                return node
    raise Unreadable("there is no ClinicalDocument in the message", REQUIRED_FIELD_MISSING)


def _packed(root: Node) -> Iterator[bytes]:
    """XML in the texts of the message: as it is, or as base64."""
    for node in root.everything():
        text = "" if node.children else node.text
        if len(text) < _SHORTEST:
            continue
        if text.startswith("<"):
            yield text.encode()
            continue
        content = _unpacked(text)
        if content is not None and content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            yield content


def _unpacked(text: str) -> bytes | None:
    try:
        return b64decode(_BLANKS.sub("", text), validate=True)
    except (binascii.Error, ValueError):
        return None


def _texts(document: Node) -> tuple[str, str]:
    findings: list[str] = []
    impression: list[str] = []
    for observation in document.inside("observation"):
        told = coded(observation.at("code"))
        if told.code not in (_FINDINGS, _IMPRESSION):
            continue
        is_impression = told.code == _IMPRESSION
        if _OBJECTIVE in told.display or _SUBJECTIVE in told.display:
            is_impression = _SUBJECTIVE in told.display
        (impression if is_impression else findings).append(observation.at("value").text)
    return "\n".join(filter(None, findings)), "\n".join(filter(None, impression))


def _value(document: Node, code: str) -> str:
    """The value of the observation with this code of the national catalogue of data elements."""
    for observation in document.inside("observation"):
        if observation.at("code").get("code") == code:
            value = observation.at("value")
            return value.get("displayName") or value.text
    return ""


def _modality(letter: Letter, document: Node) -> str:
    """检查类别, in our words or as it is when it is a word of DICOM."""
    told = _value(document, _CATEGORY)
    known = letter.profile.codes["v3_modality"].get(told, told)
    return known.upper()[:_MODALITY_LENGTH] if known.isascii() else ""


def _approved_at(letter: Letter) -> datetime | None:
    approved = letter.moment(letter.root.at("legalAuthenticator/time"), "legalAuthenticator/time")
    return approved or letter.moment(letter.root.at("author/time"), "author/time")


def _is_correction(document: Node) -> bool:
    version = document.at("versionNumber").get("value")
    if version.isdecimal() and len(version) > _VERSION_DIGITS:
        raise Unreadable(f"versionNumber has more than {_VERSION_DIGITS} digits")
    if version.isdecimal() and int(version) > 1:
        return True
    return any(numbers(related.at("parentDocument")) for related in document.all("relatedDocument"))


def _pdf(document: Node) -> bytes | None:
    """The embedded PDF. Raises `Unreadable` when it is damaged."""
    for node in document.everything():
        if node.name in ("text", "value") and node.get("mediaType").lower() == "application/pdf":
            content = _unpacked(node.text)
            if content is None:
                raise Unreadable(f"{node.name}: the document is not Base64, or was cut off")
            if not content.startswith(b"%PDF-"):
                raise Unreadable(f"{node.name}: the document is said to be a PDF and is none")
            return content
    return None
