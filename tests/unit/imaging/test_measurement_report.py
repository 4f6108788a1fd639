"""The SR of measurements against outside judges: pydicom, highdicom's reader, and dcmtk's dsrdump."""

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import highdicom.sr as sr
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from core.errors import Refused
from imaging.instance_reader import read_header
from imaging.measurement_report import Observer, measurement_report
from tests.unit.imaging import dicom_files

SOP, SERIES = f"{dicom_files.ROOT}.3.1", f"{dicom_files.ROOT}.2"
PEOPLE = {"GB18030": "ZHANG^SHENDONG=张^珅東", "ISO_IR 192": "Wang^Ming=王^明", "": "张珅東"}


def header(charset: str = "GB18030", **elements: Any) -> Dataset:
    """As our archive gives it: read from a file, its texts in the sender's character set."""
    usual = {
        "FrameOfReferenceUID": f"{dicom_files.ROOT}.4",
        "PatientBirthDate": "19850203",
        "PatientSex": "M",
        "StudyTime": "101530",
        "Rows": 512,
        "Columns": 512,
    }
    made = dicom_files.dataset(None, 1, **usual, **elements)
    if charset:
        made.SpecificCharacterSet = charset
        made.PatientName = PEOPLE[charset]
    else:
        made.add_new("PatientName", "PN", PEOPLE[""].encode("gb18030"))
    return read_header(dicom_files.part10(made))


def drawn(
    kind: str, points: list[list[float]], *measured: tuple[str, float, str], **more: Any
) -> dict[str, Any]:
    told = {
        "uid": f"{kind}-1",
        "kind": kind,
        "series": SERIES,
        "instance": SOP,
        "frame": 1,
        "points": points,
        "radius": None,
        "text": "",
        "measured": [{"name": name, "value": value, "unit": unit} for name, value, unit in measured],
    }
    return {**told, **more}


SPACE = {"instance": None, "frame": None}
EVERY_KIND = [
    drawn("length", [[10.5, 20.25], [110.5, 20.25]], ("length", 70.3, "mm"), text="结节长径 <b>"),
    drawn("length", [[10, 20], [13, 24]], ("length", 5, "px"), uid="length-2"),
    drawn("angle", [[0, 0], [10, 0], [10, 10]], ("angle", 90, "deg")),
    drawn("cobb", [[0, 0], [10, 0], [0, 20], [10, 25]], ("angle", 26.57, "deg")),
    drawn("probe", [[5.5, 6.5]], ("value", -812, "HU")),
    drawn("rectangle", [[10, 10], [20, 30]], ("area", 98.6, "mm2"), ("mean", 41.5, "HU"), ("sd", 12.1, "HU")),
    drawn("ellipse", [[0, 0], [10, 40]], ("area", 314.2, "px2"), ("min", 3, "")),
    drawn("freehand", [[0, 0], [10, 0], [10, 10]], ("area", 50, "mm2"), ("perimeter", 34.14, "mm")),
    drawn("text", [[100, 100]], text="随访"),
    drawn("arrow", [[100, 100], [90, 90]], text="此处"),
    drawn("sphere", [[1, 2, 3]], ("volume", 4188.79, "mm3"), ("mean", 40, "HU"), radius=10, **SPACE),
    drawn("cuboid", [[0, 0, 0], [5, 0, 0], [0, 6, 0], [0, 0, 7]], ("volume", 1680, "mm3"), **SPACE),
]


def written(annotations: list[dict[str, Any]], of: Dataset | None = None, person: str = "医生甲") -> bytes:
    source = of or header()
    return measurement_report(annotations, {SOP: source}, {SERIES: source}, Observer(person, "演示医院"))


def numbers(report: Dataset) -> list[tuple[str, float, str]]:
    """Meaning, value and unit of every number in the tree."""
    found = []

    def walk(item: Dataset) -> None:
        if item.get("ValueType") == "NUM":
            (value,) = item.MeasuredValueSequence
            unit = value.MeasurementUnitsCodeSequence[0].CodeValue
            found.append((item.ConceptNameCodeSequence[0].CodeMeaning, float(value.NumericValue), unit))
        for child in item.get("ContentSequence", []):
            walk(child)

    walk(report)
    return found


@pytest.mark.requirement("E16", "F6")
def test_every_kind_comes_back_with_its_numbers() -> None:
    content = written(EVERY_KIND)
    report = pydicom.dcmread(io.BytesIO(content))
    assert report.SOPClassUID == pydicom.uid.Comprehensive3DSRStorage
    assert numbers(report) == [
        ("Length", 70.3, "mm"),
        ("Length", 5, "{pixels}"),
        ("Angle", 90, "deg"),
        ("Cobb angle", 26.57, "deg"),
        ("Attenuation Coefficient", -812, "[hnsf'U]"),
        ("Area", 98.6, "mm2"),
        ("Attenuation Coefficient", 41.5, "[hnsf'U]"),
        ("Attenuation Coefficient", 12.1, "[hnsf'U]"),
        ("Area", 314.2, "{pixels}"),
        ("Pixel value", 3, "1"),
        ("Area", 50, "mm2"),
        ("Perimeter", 34.14, "mm"),
        ("Volume", 4188.79, "mm3"),
        ("Attenuation Coefficient", 40, "[hnsf'U]"),
        ("Volume", 1680, "mm3"),
    ]


@pytest.mark.requirement("E16")
def test_a_reader_of_templates_finds_groups_and_shapes() -> None:
    report = sr.srread(io.BytesIO(written(EVERY_KIND)))
    content = report.content
    assert len(content.get_planar_roi_measurement_groups()) == 6
    assert len(content.get_volumetric_roi_measurement_groups()) == 2
    lines = content.get_image_measurement_groups()
    assert len(lines) == 4
    (length,) = lines[0].get_measurements(codes.SCT.Length)
    (line,) = length.referenced_coordinates
    assert line.value.tolist() == [[10.5, 20.25], [110.5, 20.25]]
    assert [one.value.tolist() for one in lines[3].get_measurements()[0].referenced_coordinates] == [
        [[0, 0], [10, 0]],
        [[0, 20], [10, 25]],
    ]
    planar = {group.tracking_identifier: group.roi for group in content.get_planar_roi_measurement_groups()}
    ellipse = planar["ellipse 7"]
    assert ellipse.graphic_type.value == "ELLIPSE"
    assert ellipse.value.tolist() == [[5, 0], [5, 40], [0, 20], [10, 20]], "the long axis first"
    assert planar["rectangle 6"].value.tolist() == [[10, 10], [20, 10], [20, 30], [10, 30], [10, 10]]
    assert planar["text 9"].graphic_type.value == "POINT"
    sphere, cuboid = (group.roi for group in content.get_volumetric_roi_measurement_groups())
    assert np.array(sphere.graphic_data).reshape(6, 3).tolist() == [
        [-9, 2, 3], [11, 2, 3], [1, -8, 3], [1, 12, 3], [1, 2, -7], [1, 2, 13],
    ]  # fmt: skip
    assert len(cuboid.graphic_data) == 6


@pytest.mark.requirement("E16", "F6")
@pytest.mark.parametrize("charset", ["GB18030", "ISO_IR 192", ""])
def test_patient_and_study_are_those_of_the_images_in_any_character_set(charset: str) -> None:
    report = pydicom.dcmread(io.BytesIO(written(EVERY_KIND[:1], header(charset))))
    assert report.SOPClassUID == pydicom.uid.ComprehensiveSRStorage
    assert str(report.PatientName) == PEOPLE[charset]
    assert (report.PatientID, report.PatientBirthDate, report.PatientSex) == ("P-1", "19850203", "M")
    assert (report.AccessionNumber, report.StudyDate) == ("ACC-1", "20261124")
    assert (report.StudyInstanceUID, report.Modality) == (f"{dicom_files.ROOT}.1", "SR")
    assert report.SeriesInstanceUID != SERIES
    text = str(report)
    assert "结节长径 <b>" in text
    assert "医生甲" in text
    assert (
        report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].SeriesInstanceUID
        == SERIES
    )


@pytest.mark.requirement("E16")
def test_dcmtk_accepts_the_report(tmp_path: Path) -> None:
    program = shutil.which("dsrdump")
    if program is None:
        pytest.skip("dsrdump is not on this machine (Debian package: dcmtk)")
    path = tmp_path / "report.dcm"
    for annotations in (EVERY_KIND, EVERY_KIND[:-2]):
        path.write_bytes(written(annotations))
        done = subprocess.run([program, "+U8", str(path)], capture_output=True, timeout=60)
        said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
        assert done.returncode == 0, said
        assert "E: " not in said
        warnings = [line for line in said.splitlines() if line.startswith("W: ")]
        assert not [line for line in warnings if "does not support this Specific Character Set" not in line]
        assert "结节长径" in said
        assert '"70.3"' in said


@pytest.mark.requirement("E16")
def test_a_frame_is_named_only_where_there_are_several() -> None:
    cine = header(NumberOfFrames=30, SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1")
    for source, wanted in ((cine, 7), (header(), None)):
        report = pydicom.dcmread(io.BytesIO(written([{**EVERY_KIND[0], "frame": 7}], source)))
        named = [item.value for item in report.iterall() if item.keyword == "ReferencedFrameNumber"]
        assert named == ([wanted] if wanted else [])


@pytest.mark.requirement("K5")
def test_what_cannot_be_written_is_named() -> None:
    bare = header()
    del bare.FrameOfReferenceUID
    with pytest.raises(Refused, match="sphere-1"):
        written([EVERY_KIND[-2]], bare)
    with pytest.raises(Refused, match="StudyInstanceUID"):
        written(EVERY_KIND[:1], header(StudyInstanceUID="study-of-letters"))
    assert written(EVERY_KIND[:1], header(StudyInstanceUID="1.2.007.4"))


@pytest.mark.requirement("E16")
def test_a_patients_report_has_no_person_as_observer() -> None:
    text = str(pydicom.dcmread(io.BytesIO(written(EVERY_KIND[:1], person=""))))
    assert "Person Observer Name" not in text
    assert "Device Observer" in text
