"""When someone opens a document of an exam (PDF, report, waveform, video), then it comes from its pack, on record (E11)."""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from access.rights import require_exam, require_published
from access.sessions import Visitor
from core import audit
from core.db import transaction
from core.errors import NotFound, Refused
from core.models import Exam, Instance, PackView, Series, Study
from imaging.codecs import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from imaging.documents.encapsulated import is_mp4, pdf_of
from imaging.documents.report_tree import ReportTree, report_tree
from imaging.documents.waveform import Chart, chart
from imaging.errors import NotDicom
from imaging.facts.document import kind_of
from imaging.sealing import open_pack
from workflow.archive_study import KIND
from workflow.context import Platform
from workflow.exam_card import patient_line
from workflow.read_pack import range_reader
from workflow.rebuild_file import rebuild_file

SHOWN = frozenset({"pdf", "sr", "ecg", "video"})
TITLES = {"pdf": "PDF 报告", "sr": "结构化报告", "ecg": "心电图及波形", "video": "视频", "other": "其他文件"}
NOT_UNDERSTOOD = "not-understood"
# Read as a whole; what is larger is for programs. An element of 8 bytes takes 350 in memory, an item of 8 takes 700:
# a report of 64 MB could end this process. The largest real ones (CAD, dose) have 2 MB.
MAX_BYTES = {"pdf": 64 * 2**20, "ecg": 16 * 2**20, "sr": 4 * 2**20}
MAX_ITEMS = 100_000
ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
# A deflated data set may grow without bound, and we take none.
READ_SYNTAXES = frozenset({EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE})


@dataclass(frozen=True)
class Document:
    """One document, of which exactly what its kind says is there."""

    kind: str
    title: str
    patient: str
    download_url: str
    pdf: bytes = b""
    report: ReportTree | None = None
    chart: Chart | None = None
    is_playable: bool = False


@dataclass(frozen=True)
class Video:
    """Plain bytes of a video: its length and a function (start, end) → bytes, half-open."""

    length: int
    read: Callable[[int, int], bytes]


def document_entry(exam: Exam, series: Series, told: dict[str, Any]) -> dict[str, str]:
    """One line of the manifest's documents. `told`: what the pack's view says of it."""
    sop_uid = told["sop_uid"]
    kind = told.get("kind") or kind_of(Instance.get(Instance.sop_uid == sop_uid).sop_class_uid)
    title = told.get("title") or series.description or TITLES[kind]
    if any(flag.startswith(NOT_UNDERSTOOD) for flag in told["flags"]):
        title += "（内容未能读取，可下载原文件）"
    download = _download_url(exam.id, sop_uid)
    return {
        "kind": kind,
        "title": title,
        "url": f"/exams/{exam.id}/documents/{sop_uid}" if kind in SHOWN else download,
        "download_url": download,
    }


def require_instance(visitor: Visitor, exam_id: int, sop_uid: str) -> Instance:
    """An archived instance of an exam that this visitor may see. Raises NotFound, NotAllowed."""
    exam = require_exam(visitor, exam_id)
    require_published(visitor, exam)
    instance: Instance | None = (
        Instance.select()
        .join(Series)
        .join(Study)
        .where(Instance.sop_uid == sop_uid, Study.exam == exam, Instance.pack.is_null(False))
        .first()
    )
    if instance is None:
        raise NotFound("this exam has no such object")
    return instance


def read_document(platform: Platform, visitor: Visitor, exam_id: int, sop_uid: str, address: str) -> Document:
    """A document made readable. Raises NotFound; Refused for what has no page; NotDicom for what is not what it says."""
    with transaction():
        instance = require_instance(visitor, exam_id, sop_uid)
        told = _told_of(instance)
        kind = told.get("kind") or kind_of(instance.sop_class_uid)
        if kind not in SHOWN or instance.byte_size > MAX_BYTES.get(kind, instance.byte_size):
            raise Refused("this file can only be downloaded")
        audit.append(
            visitor.actor, "read_file", f"exam:{exam_id}", address=address, detail={"sop_uid": sop_uid}
        )
        patient = patient_line(instance.series.study.exam.patient)
    common = {
        "kind": kind,
        "title": told.get("title") or instance.series.description or TITLES[kind],
        "patient": patient,
        "download_url": _download_url(exam_id, sop_uid),
    }
    if kind == "video":
        return Document(**common, is_playable=is_mp4(_video(platform, instance, told).read(0, 16)))
    header = _header(rebuild_file(platform, instance))
    try:
        if kind == "pdf":
            return Document(**common, pdf=pdf_of(header))
        if kind == "sr":
            return Document(**common, report=report_tree(header))
        return Document(**common, chart=chart(header))
    except NotDicom as error:
        raise Refused(f"this file can only be downloaded: {error}") from error


def open_video(platform: Platform, visitor: Visitor, exam_id: int, sop_uid: str) -> Video:
    """The video for a player. Not audited: its page was, and a player asks for many ranges."""
    instance = require_instance(visitor, exam_id, sop_uid)
    return _video(platform, instance, _told_of(instance))


def _video(platform: Platform, instance: Instance, told: dict[str, Any]) -> Video:
    """The pieces of the video in the pack as one stretch of bytes, opened where it is asked for."""
    pieces = told.get("pieces") or []
    if not pieces:
        raise NotFound("this object is no video")
    reader = open_pack(
        range_reader(platform, instance.pack), instance.pack, platform.keyring, platform.provider, KIND
    )

    def read(start: int, end: int) -> bytes:
        found, at = [], 0
        for offset, length in pieces:
            first, last = max(start - at, 0), min(end - at, length)
            if first < last:
                found.append(reader.read(offset + first, offset + last))
            at += length
        return b"".join(found)

    return Video(sum(length for _, length in pieces), read)


def _told_of(instance: Instance) -> dict[str, Any]:
    view = PackView.get(PackView.pack == instance.pack)
    documents = json.loads(gzip.decompress(bytes(view.manifest)))["documents"]
    return next((told for told in documents if told["sop_uid"] == instance.sop_uid), {})


def _header(content: bytes) -> Dataset:
    if any(content.count(tag) > MAX_ITEMS for tag in ITEM_TAGS):
        raise Refused("this file can only be downloaded: it has too many items")
    # Hostile bytes make pydicom raise nearly anything; all of it means that there is nothing to show.
    try:
        header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    except Exception as error:
        raise Refused("this file can only be downloaded") from error
    if header.file_meta.get("TransferSyntaxUID") not in READ_SYNTAXES:
        raise Refused("this file can only be downloaded")
    return header


def _download_url(exam_id: int, sop_uid: str) -> str:
    return f"/api/v1/exams/{exam_id}/files/{sop_uid}"
