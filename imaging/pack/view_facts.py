"""What the viewer must know of an instance's frames, as plain JSON values (contract: web/src/dicom/manifest).

An element that cannot be read counts as absent, whatever pydicom says of it.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset

from imaging.facts import frame_series, functional_groups, luts, ultrasound, windows
from imaging.facts.slide import slide_of
from imaging.facts.values import exactly, meaning, numbers, whole, word, words

COLOUR_IN_PALETTE = "PALETTE COLOR"
# Baseline and extended JPEG are never lossless; JPEG-LS and JPEG 2000 may be, and say it in the header (PS3.5 §8.2).
ALWAYS_LOSSY = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})


@dataclass
class Facts:
    """`shared` by all frames; `frames`: what each has of its own (empty: nothing); `tables` that indexes point to."""

    shared: dict[str, Any]
    frames: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)


def facts_of(header: Dataset, codec: str, count: int) -> Facts:
    """Facts of an instance with `count` frames."""
    shared = {**view_facts(header, codec), **functional_groups.shared_facts(header)}
    tables = _tables(header, shared)
    return Facts(shared, _own(header, shared, count), tables)


def view_facts(header: Dataset, codec: str) -> dict[str, Any]:
    """What the top of the header says; lists are empty and values None where it is silent."""
    bits = whole(header, "BitsAllocated")
    stored = whole(header, "BitsStored")
    return {
        "codec": codec,
        "rows": whole(header, "Rows"),
        "columns": whole(header, "Columns"),
        "samples": whole(header, "SamplesPerPixel", 1),
        "bits_allocated": bits,
        # More than there are, or none, is a mistake: then all of them count.
        "bits_stored": stored if 0 < stored <= bits else bits,
        "signed": bool(whole(header, "PixelRepresentation")),
        "photometric": word(header, "PhotometricInterpretation", 16) or "MONOCHROME2",
        "received_lossy": _is_lossy(header),
        "planar": 0,
        "big_endian": False,
        **windows.rescale(header),
        **windows.window(header),
        "voi_lut": None,
        "modality_lut": None,
        "palette": None,
        **_scale(header),
        "position": exactly(3, numbers(header, "ImagePositionPatient")),
        "orientation": exactly(6, numbers(header, "ImageOrientationPatient")),
        "instance": word(header, "SOPInstanceUID"),
        "number": whole(header, "InstanceNumber"),
        "frame_time_ms": frame_series.frame_time_ms(header),
        "time_offset_ms": next(iter(numbers(header, "TriggerTime", 1)), None),
        "regions": ultrasound.regions(header),
        "laterality": word(header, "ImageLaterality", 16) or word(header, "Laterality", 16),
        "view_position": word(header, "ViewPosition", 16) or meaning(header, "ViewCodeSequence"),
        "patient_orientation": _two(words(header, "PatientOrientation")),
        "image_type": words(header, "ImageType"),
        "frame_of_reference": word(header, "FrameOfReferenceUID") or None,
        "body_part": word(header, "BodyPartExamined", 16),
        "slide": slide_of(header),
    }


def _is_lossy(header: Dataset) -> bool:
    """Whether the picture had lost something before it came here (PS3.3 §C.7.6.1.1.5)."""
    meta = getattr(header, "file_meta", None)
    syntax = str(getattr(meta, "TransferSyntaxUID", ""))
    return word(header, "LossyImageCompression", 16) == "01" or syntax in ALWAYS_LOSSY


def metadata_of(header: Dataset) -> dict[str, Any]:
    """DICOM JSON of the header (PS3.18 §F); bulk values are left out, they are in the entry.

    Raises ValueError for a number that JSON has no word for (NaN, infinity).
    """
    result: dict[str, Any] = header.to_json_dict(
        bulk_data_threshold=1024, bulk_data_element_handler=lambda _: ""
    )
    json.dumps(result, allow_nan=False)
    return result


def _scale(header: Dataset) -> dict[str, Any]:
    """Spacing and what it is measured at. Projections have the detector's, unless they were calibrated, which shows
    in another value of Pixel Spacing or in words (PS3.3 §10.7.1.3)."""
    plain, detector = (_spacing(header, name) for name in ("PixelSpacing", "ImagerPixelSpacing"))
    is_calibrated = bool(word(header, "PixelSpacingCalibrationType"))
    spacing = plain or detector or _spacing(header, "NominalScannedPixelSpacing")
    if spacing is None:
        aspect = exactly(2, numbers(header, "PixelAspectRatio"))
        is_usable = aspect is not None and min(aspect) > 0 and aspect[0] != aspect[1]
        return {"spacing": None, "spacing_kind": "none", "pixel_aspect": aspect if is_usable else None}
    is_patient = plain is not None and (is_calibrated or detector is None or plain != detector)
    kind = "patient" if is_patient else "detector"
    return {"spacing": spacing, "spacing_kind": kind, "pixel_aspect": None}


def _spacing(header: Dataset, name: str) -> list[float] | None:
    found = exactly(2, numbers(header, name))
    return found if found is not None and min(found) > 0 else None


def _two(values: list[str]) -> list[str] | None:
    return values if len(values) == 2 else None


def _tables(header: Dataset, shared: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables of this instance; notes their indexes in `shared`."""
    tables: list[dict[str, Any]] = []
    if shared["photometric"] == COLOUR_IN_PALETTE:
        colours = luts.palette(header)
        if colours is not None:
            tables += colours
            shared["palette"] = [0, 1, 2]
        return tables
    for name, table in (("modality_lut", luts.modality_lut(header)), ("voi_lut", luts.voi_lut(header))):
        if table is not None:
            shared[name] = len(tables)
            tables.append(table)
    if shared["modality_lut"] is not None:
        shared["slope"], shared["intercept"] = 1.0, 0.0
    return tables


def _own(header: Dataset, shared: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Per frame what differs from `shared`; what is the same in all of them is moved into `shared`."""
    sources = [
        found
        for found in (
            frame_series.time_facts(header, count),
            frame_series.place_facts(header, count),
            functional_groups.per_frame_facts(header, count),
        )
        if found
    ]
    if not sources:
        return []
    frames = [
        {name: value for own in owns for name, value in own.items()} for owns in zip(*sources, strict=True)
    ]
    names = {name for frame in frames for name in frame}
    for name in sorted(names):
        values = [frame.get(name, shared.get(name)) for frame in frames]
        if all(value == values[0] for value in values):
            shared[name] = values[0]
            for frame in frames:
                frame.pop(name, None)
    return frames if any(frames) else []
