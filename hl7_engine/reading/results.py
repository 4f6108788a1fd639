"""What the OBX segments of a report hold: text by code, studies, the signed PDF (v2.5.1 chapter 7.4.2).

| OBX-3 | what it is |
|---|---|
| GDT, LOINC 59776-5 | findings 检查所见 |
| IMP, LOINC 19005-8 | impression 诊断意见 |
| REC, LOINC 18783-1 | recommendation 建议, put below the impression |
| 113014 (DCM) | Study Instance UID |
| any, OBX-2 = ED | a document; the main one is ZMF |
"""

import binascii
import re
from base64 import b64decode

from hl7_engine.er7 import Segment
from hl7_engine.errors import Unreadable, quoted
from hl7_engine.reading.source import KEY_LENGTH, Source
from hl7_engine.reading.uids import study_uid

# OBX-11: deleted, wrong, no result.
_VOID = frozenset({"D", "W", "X"})
_FINDINGS = frozenset({"GDT"})
_IMPRESSION = frozenset({"IMP", "REC"})
# DICOM PS3.16 DCM 113014: Study.
_STUDY = "113014"
_MAIN_DOCUMENT = "ZMF"


class Results:
    """The results of one report that are not void."""

    def __init__(self, source: Source, segments: list[Segment]) -> None:
        self._coded = [
            (source.code("result_code", {"OBX": obx}), obx)
            for obx in segments
            if source.value("result_status", {"OBX": obx}).upper() not in _VOID
        ]
        for _, obx in self._coded:
            source.touch(obx.name, 2)
            source.touch(obx.name, 5)

    @property
    def findings(self) -> str:
        """检查所见."""
        return self._text(_FINDINGS)

    @property
    def impression(self) -> str:
        """诊断意见 and 建议."""
        return self._text(_IMPRESSION)

    @property
    def study_uids(self) -> tuple[str, ...]:
        """The studies that the report is about. Raises `Unreadable` for one that is no UID."""
        told = (
            obx.get(f"5[{place}].1")
            for code, obx in self._coded
            if code == _STUDY
            for place in range(1, obx.count(5) + 1)
        )
        return tuple(dict.fromkeys(study_uid(uid, "OBX-5 (113014)") for uid in told))

    @property
    def free_text(self) -> str:
        """All running text in order, whatever its code: for documents that do not say what is what."""
        texts = (obx.text(5) for _, obx in self._coded if obx.get("2").upper() in ("TX", "FT", "ST"))
        return "\n".join(filter(None, texts))

    @property
    def document(self) -> bytes | None:
        """The PDF; the main document if there are several. Raises `Unreadable` when it is damaged."""
        pdfs = [
            (code != _MAIN_DOCUMENT, obx)
            for code, obx in self._coded
            if obx.get("2").upper() == "ED" and obx.get("5.3").upper() == "PDF"
        ]
        return _decoded(min(pdfs, key=lambda ranked: ranked[0])[1]) if pdfs else None

    def _text(self, codes: frozenset[str]) -> str:
        paragraphs = (obx.text(5) for code, obx in self._coded if code in codes)
        return "\n".join(filter(None, paragraphs))


def person(segment: Segment, field: int) -> str:
    """A name in OBR-32 or the like: `id&family&given` (NDL) or, as often met, `id^family^given` (XCN)."""
    parts = [segment.get(f"{field}.1.{place}") for place in (2, 3)]
    if not any(parts):
        parts = [segment.get(f"{field}.{place}") for place in (2, 3)]
    return ("".join(parts) or segment.get(f"{field}.1.1"))[:KEY_LENGTH]


def _decoded(obx: Segment) -> bytes:
    encoding = obx.get("5.4")
    if encoding.lower() != "base64":
        raise Unreadable(f"OBX-5.4 is {quoted(encoding)}: a document comes as Base64")
    try:
        content = b64decode(re.sub(r"\s", "", obx.get("5.5")), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("OBX-5.5: the document is not Base64, or was cut off") from None
    if not content.startswith(b"%PDF-"):
        raise Unreadable("OBX-5.5: the document is said to be a PDF and is none")
    return content
