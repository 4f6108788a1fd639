"""The film manifest, version 2: what the viewer must know of an exam before it asks for a byte of pixels (K2, E12–E14)."""

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from access.rights import READING_ROLES, exams_visible_to
from access.sessions import Visitor
from core.models import Exam, Pack, PackView, Series, Study
from imaging.film_series import series_of
from imaging.sealing import pixel_key_of
from workflow.archive_study import KIND
from workflow.context import Platform
from workflow.exam_card import ExamCard
from workflow.film_documents import document_entry

# Beside which a person would want to lay this exam; more are in the list of exams.
MAX_HISTORY = 30


@dataclass
class FilmContent:
    """What the archived series of an exam hold."""

    series: list[dict[str, Any]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    presentations: list[dict[str, Any]] = field(default_factory=list)
    key_images: list[dict[str, Any]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)

    @property
    def first(self) -> dict[str, int] | None:
        """The series with most frames, and in it the frame that its preview shows."""
        index = max(range(len(self.series)), key=lambda i: self.series[i]["count"], default=None)
        return None if index is None else {"series": index, "frame": self.keys[index]}


def content_of(platform: Platform, exam: Exam) -> FilmContent:
    """Read the views of all packs of the exam."""
    content = FilmContent()
    query = (
        Series.select(Series, Study)
        .join(Study)
        .where(Study.exam == exam)
        .order_by(Study.id, Series.number, Series.series_uid)
    )
    for row in query:
        _add_series(platform, exam, row, content)
    return content


def manifest_of(visitor: Visitor, exam: Exam, card: ExamCard, content: FilmContent) -> dict[str, Any]:
    """The manifest as JSON values."""
    return {
        "version": 2,
        "title": card.item_name,
        "patient": card.patient_line,
        "hospital": card.hospital,
        "exam_at": card.exam_at.isoformat(),
        "accession": card.accession_number,
        "exam_id": exam.id,
        "watermark": None,
        "may": {
            "save_annotations": visitor.is_staff and visitor.role in READING_ROLES,
            "live": True,
            "download": True,
        },
        "series": content.series,
        "documents": content.documents,
        "presentations": content.presentations,
        "key_images": content.key_images,
        "history": history_of(visitor, exam),
        "first": content.first,
    }


def history_of(visitor: Visitor, exam: Exam) -> list[dict[str, Any]]:
    """Other exams of the same patient with images that this visitor may open, newest first."""
    if exam.patient_id is None:
        return []
    with_images = Study.select(Study.exam).join(Series).join(Pack)
    others = exams_visible_to(visitor).where(
        Exam.patient == exam.patient_id, Exam.id != exam.id, Exam.id.in_(with_images)
    )
    if not visitor.is_staff:
        others = others.where(Exam.published_at.is_null(False))
    entries = [
        {
            "exam_id": other.id,
            "title": other.item_name or other.modality or "影像检查",
            "exam_at": (other.performed_at or other.ordered_at or other.created_at).isoformat(),
            "modality": other.modality,
        }
        for other in others
    ]
    return sorted(entries, key=lambda entry: entry["exam_at"], reverse=True)[:MAX_HISTORY]


def preview_of(series_uid: str) -> bytes | None:
    """The WebP of the series' first frame, of the first pack that has one."""
    view = (
        PackView.select()
        .join(Pack)
        .join(Series)
        .where(Series.series_uid == series_uid, PackView.preview.is_null(False))
        .order_by(Pack.generation)
        .first()
    )
    return bytes(view.preview) if view else None


def _add_series(platform: Platform, exam: Exam, row: Series, content: FilmContent) -> None:
    views: list[dict[str, Any]] = []
    packs: list[dict[str, str]] = []
    thumbnail: bytes | None = None
    for pack in Pack.select().where(Pack.series == row).order_by(Pack.generation):
        view = PackView.get(PackView.pack == pack)
        views.append(json.loads(gzip.decompress(bytes(view.manifest))))
        packs.append(_pack(platform, pack))
        thumbnail = thumbnail or view.thumbnail
    for told in (document for view in views for document in view["documents"]):
        content.presentations += told.get("presentations") or []
        content.key_images += told.get("key_images") or []
        if not told.get("presentations"):
            content.documents.append(document_entry(exam, row, told))
    entry = series_of(views)
    if not entry["count"]:
        return
    content.keys.append(entry.pop("key"))
    content.series.append(
        {
            "uid": row.series_uid,
            "study_uid": row.study.study_uid,
            "exam_id": exam.id,
            "number": row.number or 0,
            "description": row.description,
            "modality": row.modality,
            "thumbnail": _webp_address(thumbnail) if thumbnail else None,
            "packs": packs,
            **entry,
        }
    )


def _pack(platform: Platform, pack: Pack) -> dict[str, str]:
    return {
        "object_id": pack.object_id,
        "url": f"/api/v1/film/packs/{pack.object_id}",
        "key": base64.b64encode(pixel_key_of(pack, platform.keyring, KIND)).decode(),
        "header": base64.b64encode(bytes(pack.header)).decode(),
    }


def _webp_address(content: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(content).decode()
