"""Annotations as a DICOM SR that any PACS reads: TID 1500 Measurement Report (PS3.16 §TID 1500, 1501, 1410, 1411).

Lengths and angles are numbers inferred from a polyline; what has an area is a planar region; sphere and cuboid are
volume surfaces in the frame of reference. Image points are those of SCOORD already: 0 is the outer corner of the first
pixel (PS3.3 §C.18.6.1.2).
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highdicom.sr as sr
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from core.errors import Refused
from imaging.header_text import read_text

SERIES_NUMBER = 9900
COMMENT = Code("121106", "DCM", "Comment")
# There is no standard concept for the stored value of a pixel of any modality.
PIXEL_VALUE = Code("PIXELVALUE", "99CLOUDFILM", "Pixel value")
NAMES = {
    "length": codes.SCT.Length,
    "angle": codes.SCT.Angle,
    "area": codes.SCT.Area,
    "perimeter": codes.SCT.Perimeter,
    "volume": codes.SCT.Volume,
}
DERIVATIONS = {
    "mean": codes.SCT.Mean,
    "sd": codes.SCT.StandardDeviation,
    "min": codes.SCT.Minimum,
    "max": codes.SCT.Maximum,
    "value": None,
}
# UCUM (PS3.16 CID 7181); {pixels} where the image is not calibrated.
UNITS = {
    **{name: Code(name, "UCUM", name) for name in ("mm", "mm2", "mm3", "cm", "cm2", "cm3", "deg", "s", "ms")},
    **{name: Code(name, "UCUM", name) for name in ("cm/s", "mm/s", "ml", "%")},
    "px": Code("{pixels}", "UCUM", "pixels"),
    "px2": Code("{pixels}", "UCUM", "pixels"),
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "SUV": Code("{SUVbw}g/ml", "UCUM", "Standardized Uptake Value body weight"),
    "BQML": Code("Bq/ml", "UCUM", "Becquerels/milliliter"),
}
NO_UNIT = Code("1", "UCUM", "no units")
FROM_A_LINE = ("length", "angle", "cobb")
_TEXTS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyID",
    "StudyDate",
    "StudyTime",
)
_MORE_TEXTS = ("AccessionNumber", "ReferringPhysicianName", "StudyDescription")
_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_AS_THEY_ARE = (*_IDENTITY, "FrameOfReferenceUID", "Rows", "Columns", "NumberOfFrames")
# PS3.5 §9.1; components with leading zeros are common mistakes that readers take.
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+", re.ASCII)


@dataclass(frozen=True)
class Observer:
    """Who makes the report: `person` is empty where a patient does; then the system alone stands for it."""

    person: str
    institution: str


def measurement_report(
    annotations: Sequence[dict[str, Any]],
    images: Mapping[str, Dataset],
    volumes: Mapping[str, Dataset],
    observer: Observer,
) -> bytes:
    """The Part-10 file. `images`: headers by SOP Instance UID; `volumes`: one header of each series by its UID.

    Raises `Refused` naming the annotation that cannot be written, or the header that has no usable identity.
    """
    evidence = {uid: _evidence(header) for uid, header in images.items()}
    of_series = {uid: _evidence(header) for uid, header in volumes.items()}
    groups = [_written(told, evidence, of_series, number) for number, told in enumerate(annotations, start=1)]
    try:
        return _file(groups, [*evidence.values(), *of_series.values()], observer)
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused(
            f"these images cannot be referred to by a DICOM SR ({type(error).__name__}: their headers break the standard)"
        ) from error


def _file(groups: list[Any], evidence: list[Dataset], observer: Observer) -> bytes:
    report = sr.MeasurementReport(
        observation_context=_context(observer),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    is_in_space = any(
        isinstance(group, sr.VolumetricROIMeasurementsAndQualitativeEvaluations) for group in groups
    )
    document = (sr.Comprehensive3DSR if is_in_space else sr.ComprehensiveSR)(
        evidence=evidence,
        content=report,
        series_instance_uid=generate_uid(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="CloudFilm",
        is_complete=True,
        institution_name=observer.institution or None,
        specific_character_set="ISO_IR 192",
    )
    buffer = io.BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _context(observer: Observer) -> sr.ObservationContext:
    device = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=generate_uid(entropy_srcs=["cloudfilm", observer.institution]), name="CloudFilm"
        ),
    )
    if not observer.person:
        return sr.ObservationContext(observer_device_context=device)
    person = sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(name=f"{observer.person}^"),
    )
    return sr.ObservationContext(observer_person_context=person, observer_device_context=device)


def _written(
    told: dict[str, Any], images: Mapping[str, Dataset], volumes: Mapping[str, Dataset], number: int
) -> Any:
    try:
        group = _group(told, images, volumes, number)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Refused(f"annotation {told['uid']}: it cannot be written as DICOM SR, leave it out") from error
    if told["text"]:
        comment = sr.TextContentItem(
            name=COMMENT, value=told["text"], relationship_type=sr.RelationshipTypeValues.CONTAINS
        )
        group[0].ContentSequence.append(comment)
    return group


def _group(
    told: dict[str, Any], images: Mapping[str, Dataset], volumes: Mapping[str, Dataset], number: int
) -> Any:
    tracking = sr.TrackingIdentifier(
        uid=generate_uid(entropy_srcs=["annotation", told["series"], told["uid"]]),
        identifier=f"{told['kind']} {number}",
    )
    if told["instance"] is None:
        source = volumes[told["series"]]
        return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_volume_surface=_surface(told, source),
            measurements=[_measurement(told, one) for one in told["measured"]],
        )
    header = images[told["instance"]]
    if told["kind"] in FROM_A_LINE and told["measured"]:
        lines = _lines(told, header)
        return sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            measurements=[_measurement(told, one, lines) for one in told["measured"]],
        )
    graphic, points = _region(told)
    region = sr.ImageRegion(
        graphic, np.array(points, float), sr.SourceImageForRegion(*_reference(told, header))
    )
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        referenced_region=region,
        measurements=[_measurement(told, one) for one in told["measured"]],
    )


def _measurement(told: dict[str, Any], one: dict[str, Any], lines: list[Any] | None = None) -> sr.Measurement:
    name = one["name"]
    if name in DERIVATIONS:
        concept = codes.DCM.AttenuationCoefficient if one["unit"] == "HU" else PIXEL_VALUE
    else:
        concept = codes.SCT.CobbAngle if told["kind"] == "cobb" and name == "angle" else NAMES[name]
    return sr.Measurement(
        name=concept,
        value=float(one["value"]),
        unit=UNITS.get(one["unit"], NO_UNIT),
        derivation=DERIVATIONS.get(name),
        referenced_coordinates=lines,
    )


def _lines(told: dict[str, Any], header: Dataset) -> list[sr.CoordinatesForMeasurement]:
    """One polyline; of a Cobb angle the two lines between which it is."""
    points = told["points"]
    parts = [points[:2], points[2:]] if told["kind"] == "cobb" else [points]
    return [
        sr.CoordinatesForMeasurement(
            graphic_type=sr.GraphicTypeValues.POLYLINE,
            graphic_data=np.array(part, float),
            source_image=sr.SourceImageForRegion(*_reference(told, header)),
        )
        for part in parts
    ]


def _reference(told: dict[str, Any], header: Dataset) -> tuple[str, str, list[int] | None]:
    frames = [told["frame"]] if int(header.get("NumberOfFrames") or 1) > 1 else None
    return header.SOPClassUID, header.SOPInstanceUID, frames


def _region(told: dict[str, Any]) -> tuple[sr.GraphicTypeValues, list[list[float]]]:
    """Graphic type and points; a region is closed by its first point again (PS3.3 §C.18.6.1.2)."""
    points, kind = told["points"], told["kind"]
    is_box = kind in ("rectangle", "ellipse") and len(points) == 2
    if is_box:
        (x0, y0), (x1, y1) = points
        if kind == "ellipse":
            ends = [[[x0, (y0 + y1) / 2], [x1, (y0 + y1) / 2]], [[(x0 + x1) / 2, y0], [(x0 + x1) / 2, y1]]]
            # Major axis first.
            ends.sort(key=lambda axis: -math.dist(*axis))
            return sr.GraphicTypeValues.ELLIPSE, ends[0] + ends[1]
        points = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    if kind == "ellipse" and len(points) == 4:
        return sr.GraphicTypeValues.ELLIPSE, points
    if len(points) == 1:
        return sr.GraphicTypeValues.POINT, points
    is_closed = kind in ("rectangle", "ellipse") or any(one["name"] == "area" for one in told["measured"])
    return sr.GraphicTypeValues.POLYLINE, [*points, points[0]] if is_closed else points


def _surface(told: dict[str, Any], header: Dataset) -> sr.VolumeSurface:
    """A sphere by the ends of its three axes; a cuboid by its six faces."""
    centre = np.array(told["points"][0])
    if told["kind"] == "sphere":
        graphic = sr.GraphicTypeValues3D.ELLIPSOID
        axes = np.eye(3) * told["radius"]
        data = [np.array([centre + sign * axis for axis in axes for sign in (-1, 1)])]
    else:
        graphic = sr.GraphicTypeValues3D.POLYGON
        halves = [np.array(half) for half in told["points"][1:]]
        data = [_face(centre, halves, axis, sign) for axis in range(3) for sign in (-1, 1)]
    return sr.VolumeSurface(
        graphic_type=graphic,
        graphic_data=data,
        frame_of_reference_uid=header.FrameOfReferenceUID,
        source_series=sr.SourceSeriesForSegmentation(told["series"]),
    )


def _face(centre: np.ndarray, halves: list[np.ndarray], axis: int, sign: int) -> np.ndarray:
    middle = centre + sign * halves[axis]
    a, b = halves[(axis + 1) % 3], halves[(axis + 2) % 3]
    return np.array([middle + a + b, middle - a + b, middle - a - b, middle + a - b, middle + a + b])


def _evidence(header: Dataset) -> Dataset:
    """What a report takes over of an image: identity of patient, study and image; an unusable text is left empty.

    Raises `Refused` for UIDs of letters: the archive keeps such images, but no reader takes a reference to them.
    """
    for keyword in _IDENTITY:
        if not _UID.fullmatch(str(header.get(keyword))):
            raise Refused(
                f"an image has a {keyword} that is no UID: its measurements cannot be written as DICOM SR"
            )
    kept = Dataset()
    for keyword in _AS_THEY_ARE:
        try:
            if header.get(keyword):
                setattr(kept, keyword, header.get(keyword))
        except Exception:  # noqa: S112 — what cannot be read counts as absent, whatever pydicom says of it
            continue
    for keyword in (*_TEXTS, *_MORE_TEXTS):
        try:
            setattr(kept, keyword, read_text(header, keyword))
        except Exception:
            setattr(kept, keyword, "")
    return kept
