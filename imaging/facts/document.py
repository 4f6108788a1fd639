"""What is told of an instance beside its pixels: kind and title of a document, a presentation state, key images."""

import json
from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset

from imaging.codecs import VIDEO
from imaging.facts.key_objects import key_images
from imaging.facts.presentation import presentations
from imaging.facts.values import meaning, text, word

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
# ECG, haemodynamic, arterial pulse, respiratory and EEG waveforms; audio (9.4) is none that can be drawn.
WAVEFORMS, AUDIO = "1.2.840.10008.5.1.4.1.1.9.", "1.2.840.10008.5.1.4.1.1.9.4"
# Grayscale and colour softcopy presentation states.
PRESENTATION_STATES = frozenset({"1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.11.2"})

# What a film keeps in its manifest of one state or selection.
MAX_TOLD_BYTES = 200_000


def document_facts(header: Dataset) -> tuple[dict[str, Any], list[str]]:
    """`kind`, `title`, and for states and selections what they say; and flags for what was left out, and why."""
    sop_class = word(header, "SOPClassUID")
    facts: dict[str, Any] = {"kind": kind_of(sop_class), "title": title_of(header)}
    if header.file_meta.get("TransferSyntaxUID") in VIDEO:
        facts["kind"] = "video"
    doubts: list[str] = []
    if sop_class in PRESENTATION_STATES:
        _tell(facts, doubts, "presentations", presentations, header)
    elif sop_class == KEY_OBJECT_SELECTION:
        _tell(facts, doubts, "key_images", key_images, header)
    return facts, doubts


def kind_of(sop_class: str) -> str:
    """pdf, sr, ecg, or other."""
    if sop_class == ENCAPSULATED_PDF:
        return "pdf"
    if sop_class.startswith(STRUCTURED_REPORTS):
        return "sr"
    if sop_class.startswith(WAVEFORMS) and not sop_class.startswith(AUDIO):
        return "ecg"
    return "other"


def title_of(header: Dataset) -> str:
    """Document title, or the concept that a report is about, or the content's label; empty when none is told."""
    return (
        text(header, "DocumentTitle")
        or meaning(header, "ConceptNameCodeSequence")
        or text(header, "ContentDescription")
        or text(header, "ContentLabel")
    )


def _tell(
    facts: dict[str, Any],
    doubts: list[str],
    name: str,
    read: Callable[[Dataset], list[dict[str, Any]]],
    header: Dataset,
) -> None:
    try:
        found = read(header)
        if len(json.dumps(found, allow_nan=False)) > MAX_TOLD_BYTES:
            raise ValueError("more than a film can hold")
        facts[name] = found
    except Exception as error:
        doubts.append(f"not-understood:{type(error).__name__}")
