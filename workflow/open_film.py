"""When someone opens a film, then they get a manifest with the pixel keys of what they may see, and the access is on
record; frames then travel as ciphertext ranges that need no work of ours (K2, K5, P5▲, F9, F10)."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from access.rights import require_exam, require_object, require_published
from access.sessions import Visitor
from core import audit, failpoints
from core.db import transaction
from core.errors import NotFound
from core.models import Exam, Instance, Pack, PackView, Series, Study
from imaging.frame_table import in_order_of_space
from imaging.sealing import pixel_key_of
from workflow.archive_study import KIND
from workflow.context import Platform
from workflow.exam_card import card_of
from workflow.read_pack import range_reader
from workflow.rebuild_file import rebuild_file

DOCUMENT_KINDS = {"1.2.840.10008.5.1.4.1.1.104.1": "pdf"}
STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."


@dataclass(frozen=True)
class Film:
    """What the film page needs: title, the viewer's manifest, and the key image's preview (WebP) for the first paint."""

    title: str
    manifest: dict[str, Any]
    preview: bytes | None


@dataclass(frozen=True)
class FilmObject:
    """Ciphertext of one pack: its length in bytes and a function (start, end) → bytes, half-open."""

    length: int
    read: Callable[[int, int], bytes]


def open_film(platform: Platform, visitor: Visitor, exam_id: int, address: str) -> Film:
    """Raises NotFound for an exam of others or without images, NotAllowed before publication (patients)."""
    with transaction():
        exam = require_exam(visitor, exam_id)
        require_published(visitor, exam)
        card = card_of(exam, platform.settings.hospital_name)
        series, documents = _series_of(platform, exam)
        if not series and not documents:
            raise NotFound(f"exam {exam_id} has no archived images yet")
        audit.append(visitor.actor, "open_film", f"exam:{exam.id}", address=address)
        failpoints.passing("film.before_grant")
    first = max(range(len(series)), key=lambda index: len(series[index]["frames"]), default=None)
    manifest = {
        "version": 1,
        "title": card.item_name,
        "patient": card.patient_line,
        "hospital": card.hospital,
        "exam_at": card.exam_at.isoformat(),
        "accession": card.accession_number,
        "series": series,
        "documents": documents,
        "first": None if first is None else {"series": first, "frame": len(series[first]["frames"]) // 2},
        "live": None,
    }
    return Film(card.item_name, manifest, _preview(series[first]["uid"]) if first is not None else None)


def open_object(platform: Platform, visitor: Visitor, object_id_hex: str) -> FilmObject:
    """The ciphertext of one pack of an exam that this session may see. Not audited: the manifest's grant was."""
    pack = require_object(visitor, object_id_hex)
    return FilmObject(pack.sealed_length, range_reader(platform, pack))


def read_file(
    platform: Platform, visitor: Visitor, exam_id: int, sop_uid: str, address: str
) -> tuple[str, bytes]:
    """One archived object that is no image (SR, PDF, waveform …), as the DICOM file that was received."""
    with transaction():
        exam = require_exam(visitor, exam_id)
        require_published(visitor, exam)
        instance = (
            Instance.select()
            .join(Series)
            .join(Study)
            .where(Instance.sop_uid == sop_uid, Study.exam == exam, Instance.pack.is_null(False))
            .first()
        )
        if instance is None:
            raise NotFound("this exam has no such object")
        audit.append(
            visitor.actor, "read_file", f"exam:{exam.id}", address=address, detail={"sop_uid": sop_uid}
        )
    return "application/dicom", rebuild_file(platform, instance)


def _series_of(platform: Platform, exam: Exam) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    series, documents = [], []
    query = (
        Series.select()
        .join(Study)
        .where(Study.exam == exam)
        .order_by(Study.id, Series.number, Series.series_uid)
    )
    for row in query:
        entry, others = _entry(platform, exam, row)
        documents += others
        if entry["frames"]:
            series.append(entry)
    return series, documents


def _entry(platform: Platform, exam: Exam, row: Series) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    packs: list[dict[str, str]] = []
    frames: list[dict[str, Any]] = []
    others: list[dict[str, str]] = []
    thumbnail: bytes | None = None
    for pack in Pack.select().where(Pack.series == row).order_by(Pack.generation):
        view = PackView.get(PackView.pack == pack)
        table = json.loads(gzip.decompress(bytes(view.manifest)))
        frames += [{**frame, "pack": len(packs)} for frame in table["frames"]]
        others += [_document(exam, document["sop_uid"]) for document in table["documents"]]
        packs.append(_pack(platform, pack))
        thumbnail = thumbnail or view.thumbnail
    entry = {
        "uid": row.series_uid,
        "number": row.number or 0,
        "description": row.description,
        "modality": row.modality,
        "thumbnail": "data:image/webp;base64," + base64.b64encode(thumbnail).decode() if thumbnail else None,
        "packs": packs,
        "frames": in_order_of_space(frames),
        "low": None,
    }
    return entry, others


def _pack(platform: Platform, pack: Pack) -> dict[str, str]:
    return {
        "object_id": pack.object_id,
        "url": f"/api/v1/film/packs/{pack.object_id}",
        "key": base64.b64encode(pixel_key_of(pack, platform.keyring, KIND)).decode(),
        "header": base64.b64encode(bytes(pack.header)).decode(),
    }


def _document(exam: Exam, sop_uid: str) -> dict[str, str]:
    instance = Instance.get(Instance.sop_uid == sop_uid)
    kind = DOCUMENT_KINDS.get(instance.sop_class_uid, "other")
    if instance.sop_class_uid.startswith(STRUCTURED_REPORTS):
        kind = "sr"
    title = instance.series.description or instance.series.modality or "DICOM"
    return {"kind": kind, "title": title, "url": f"/api/v1/exams/{exam.id}/files/{sop_uid}"}


def _preview(series_uid: str) -> bytes | None:
    view = PackView.select().join(Pack).join(Series).where(Series.series_uid == series_uid).first()
    return bytes(view.preview) if view and view.preview else None
