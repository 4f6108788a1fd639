"""When someone opens a film, then they get a manifest with the pixel keys of what they may see, and the access is on
record; frames then travel as ciphertext ranges that need no work of ours (K2, K5, P5▲, F9, F10)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from access.rights import require_exam, require_object, require_published
from access.sessions import Visitor
from core import audit, failpoints
from core.db import transaction
from core.errors import NotFound
from imaging.pack.pictures import as_jpeg
from workflow.context import Platform
from workflow.exam_card import card_of
from workflow.film_documents import require_instance
from workflow.film_manifest import content_of, manifest_of, preview_of
from workflow.read_pack import range_reader
from workflow.rebuild_file import rebuild_file


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
        content = content_of(platform, exam)
        if not content.series and not content.documents:
            raise NotFound(f"exam {exam_id} has no archived images yet")
        audit.append(visitor.actor, "open_film", f"exam:{exam.id}", address=address)
        failpoints.passing("film.before_grant")
    first = content.first
    preview = preview_of(content.series[first["series"]]["uid"]) if first is not None else None
    return Film(card.item_name, manifest_of(visitor, exam, card, content), preview)


def jpeg_preview(film: Film) -> bytes | None:
    """The preview for a browser that knows no WebP."""
    return as_jpeg(film.preview) if film.preview else None


def open_object(platform: Platform, visitor: Visitor, object_id_hex: str) -> FilmObject:
    """The ciphertext of one pack of an exam that this session may see. Not audited: the manifest's grant was."""
    pack = require_object(visitor, object_id_hex)
    return FilmObject(pack.sealed_length, range_reader(platform, pack))


def read_file(
    platform: Platform, visitor: Visitor, exam_id: int, sop_uid: str, address: str
) -> tuple[str, bytes]:
    """One archived object that is no image (SR, PDF, waveform …), as the DICOM file that was received."""
    with transaction():
        instance = require_instance(visitor, exam_id, sop_uid)
        audit.append(
            visitor.actor, "read_file", f"exam:{exam_id}", address=address, detail={"sop_uid": sop_uid}
        )
    return "application/dicom", rebuild_file(platform, instance)
