"""Facts of frames from headers: enhanced and classic multi-frame, scales, windows, tables; hostile values tell nothing."""

import base64
import io
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from imaging.frame_table import frames_of_row
from imaging.pack.prepare import prepare
from imaging.pack.view_facts import facts_of
from tests.unit.imaging import dicom_files
from tests.unit.imaging.dicom_files import dataset, slope
from tests.unit.imaging.documents_made import code, item

pytestmark = pytest.mark.requirement("E13", "E14", "E15")

AXIAL = [1, 0, 0, 0, 1, 0]


def frames_of(made: Dataset, count: int = 3, codec: str = "htj2k") -> list[dict[str, Any]]:
    """The facts of each frame, as a viewer gets them; the header goes through a file, as it does in life."""
    content = dicom_files.part10(made, "implicit")
    header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    facts = facts_of(header, codec, count)
    row = {"view": facts.shared, "frame_views": facts.frames, "frames": [[0, 1]] * count}
    return [{**frame, "tables": facts.tables} for frame in frames_of_row(row, iter(()))]


def group(z: float, **sequences: Any) -> Dataset:
    return item(PlanePositionSequence=[item(ImagePositionPatient=[1, 2, z])], **sequences)


def enhanced(per_frame: list[Dataset], **shared: Any) -> Dataset:
    made = dataset(np.stack([slope(8, 8)] * len(per_frame)), FrameOfReferenceUID="1.2.9")
    made.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=[0.5, 0.6], SliceThickness=2)],
            PlaneOrientationSequence=[item(ImageOrientationPatient=AXIAL)],
            **shared,
        )
    ]
    made.PerFrameFunctionalGroupsSequence = per_frame
    return made


def test_groups_of_enhanced_objects() -> None:
    def values(slope_: float) -> list[Dataset]:
        return [item(RescaleSlope=slope_, RescaleIntercept=-1000, RescaleType="HU")]

    window = [
        item(WindowCenter=40, WindowWidth=400, WindowCenterWidthExplanation="SOFT", VOILUTFunction="SIGMOID")
    ]
    made = enhanced(
        [
            group(
                z * 2.5,
                PixelValueTransformationSequence=values(1 + z),
                TemporalPositionSequence=[item(TemporalPositionTimeOffset=z * 0.5)],
            )
            for z in range(3)
        ],
        FrameVOILUTSequence=window,
        FrameAnatomySequence=[item(FrameLaterality="L")],
        MRImageFrameTypeSequence=[item(FrameType=["ORIGINAL", "PRIMARY"])],
    )
    frames = frames_of(made)
    assert [frame["position"] for frame in frames] == [[1, 2, 0], [1, 2, 2.5], [1, 2, 5]]
    assert [frame["slope"] for frame in frames] == [1, 2, 3]
    assert [frame["time_offset_ms"] for frame in frames] == [0, 500, 1000]
    first = frames[0]
    assert (first["spacing"], first["spacing_kind"], first["orientation"]) == ([0.5, 0.6], "patient", AXIAL)
    assert (first["intercept"], first["unit"], first["center"], first["width"]) == (-1000, "HU", [40], [400])
    assert (first["voi_function"], first["window_names"], first["laterality"]) == ("SIGMOID", ["SOFT"], "L")
    assert (first["image_type"], first["frame_of_reference"]) == (["ORIGINAL", "PRIMARY"], "1.2.9")


def test_groups_that_are_not_one_for_each_frame_tell_nothing() -> None:
    made = enhanced([group(1), group(2)])
    made.NumberOfFrames = 3
    assert [frame["position"] for frame in frames_of(made)] == [None] * 3
    assert frames_of(made)[0]["spacing"] == [0.5, 0.6], "what all share is still told"


@pytest.mark.parametrize(
    ("elements", "times", "offsets"),
    [
        ({"FrameTime": 40}, [40, 40, 40], [None] * 3),
        ({"CineRate": 25}, [40, 40, 40], [None] * 3),
        ({"FrameTime": 40, "RecommendedDisplayFrameRate": 10}, [100, 100, 100], [None] * 3),
        ({"FrameTimeVector": [0, 30, 50]}, [30, 50, 50], [0, 30, 80]),
        ({"FrameTimeVector": [0, 30]}, [None] * 3, [None] * 3),
        ({"FrameTime": 0}, [None] * 3, [None] * 3),
        ({"CineRate": -5}, [None] * 3, [None] * 3),
        ({"TriggerTime": 120}, [None] * 3, [120] * 3),
    ],
)
def test_time_of_a_frame(elements: dict[str, Any], times: list[Any], offsets: list[Any]) -> None:
    frames = frames_of(dataset(np.stack([slope(4, 4)] * 3), **elements))
    assert [frame["frame_time_ms"] for frame in frames] == times
    assert [frame["time_offset_ms"] for frame in frames] == offsets


def test_slices_of_a_reconstructed_tomogram_and_of_a_dose_grid() -> None:
    detector = item(ImagePositionPatient=[0, 0, 10], ImageOrientationPatient=AXIAL)
    tomogram = dataset(
        np.stack([slope(4, 4)] * 3), SOPClassUID="1.2.840.10008.5.1.4.1.1.20", SliceVector=[1, 2, 3],
        ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"], SpacingBetweenSlices="-4",
        DetectorInformationSequence=[detector],
    )  # fmt: skip
    assert [frame["position"] for frame in frames_of(tomogram)] == [[0, 0, 10], [0, 0, 6], [0, 0, 2]]
    dose = dataset(
        np.stack([slope(4, 4)] * 3), SOPClassUID="1.2.840.10008.5.1.4.1.1.481.2", ImagePositionPatient=[5, 5, 5],
        ImageOrientationPatient=AXIAL, GridFrameOffsetVector=[5, 8, 11],
    )  # fmt: skip
    assert [frame["position"] for frame in frames_of(dose)] == [[5, 5, 5], [5, 5, 8], [5, 5, 11]]


@pytest.mark.parametrize(
    ("elements", "spacing", "kind", "aspect"),
    [
        ({"PixelSpacing": [0.5, 0.6]}, [0.5, 0.6], "patient", None),
        ({"ImagerPixelSpacing": [0.1, 0.1]}, [0.1, 0.1], "detector", None),
        ({"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1]}, [0.1, 0.1], "detector", None),
        ({"PixelSpacing": [0.08, 0.08], "ImagerPixelSpacing": [0.1, 0.1]}, [0.08, 0.08], "patient", None),
        ({"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1], "PixelSpacingCalibrationType": "FIDUCIAL"},
         [0.1, 0.1], "patient", None),
        ({"PixelAspectRatio": [4, 3]}, None, "none", [4, 3]),
        ({"PixelAspectRatio": [1, 1]}, None, "none", None),
        ({"PixelSpacing": [0, 0.5]}, None, "none", None),
        ({"PixelSpacing": [-1, 0.5]}, None, "none", None),
        ({"PixelAspectRatio": [0, 3]}, None, "none", None),
    ],
)  # fmt: skip
def test_scale(elements: dict[str, Any], spacing: Any, kind: str, aspect: Any) -> None:
    frame = frames_of(dataset(slope(4, 4), **elements), 1)[0]
    assert (frame["spacing"], frame["spacing_kind"], frame["pixel_aspect"]) == (spacing, kind, aspect)


def test_windows_keep_their_names_and_lose_what_is_no_width() -> None:
    made = dataset(
        slope(4, 4), WindowCenter=[40, 50, -600], WindowWidth=[400, 0, 1500],
        WindowCenterWidthExplanation=["A", "B", "C"], VOILUTFunction="ODD",
    )  # fmt: skip
    frame = frames_of(made, 1)[0]
    assert (frame["center"], frame["width"], frame["window_names"]) == ([40, -600], [400, 1500], ["A", "C"])
    assert frame["voi_function"] == "LINEAR"


@pytest.mark.parametrize(
    ("elements", "unit"),
    [
        ({"RescaleSlope": 1, "RescaleIntercept": -1024}, "HU"),
        ({"RescaleSlope": 1, "RescaleType": "US"}, "US"),
        ({"Modality": "PT", "RescaleSlope": 1, "Units": "BQML"}, "BQML"),
        ({"Modality": "MR", "RescaleSlope": 1}, ""),
    ],
)
def test_units(elements: dict[str, Any], unit: str) -> None:
    assert frames_of(dataset(slope(4, 4), **elements), 1)[0]["unit"] == unit


@pytest.mark.parametrize(("elements", "lossy"), [({}, False), ({"LossyImageCompression": "01"}, True)])
def test_what_was_lost_before_it_came_is_told(elements: dict[str, Any], lossy: bool) -> None:
    (frame,) = frames_of(dataset(slope(8, 8), **elements), 1)
    assert frame["received_lossy"] is lossy


def test_regions_of_ultrasound() -> None:
    region = item(
        RegionLocationMinX0=10, RegionLocationMinY0=20, RegionLocationMaxX1=110, RegionLocationMaxY1=220,
        PhysicalDeltaX=0.02, PhysicalDeltaY=-0.03, PhysicalUnitsXDirection=4, PhysicalUnitsYDirection=7,
    )  # fmt: skip
    upside_down = item(**{element.keyword: element.value for element in region})
    upside_down.RegionLocationMaxX1 = 3
    frame = frames_of(dataset(slope(4, 4), SequenceOfUltrasoundRegions=[region, upside_down]), 1)[0]
    assert frame["regions"] == [
        {"x0": 10, "y0": 20, "x1": 110, "y1": 220, "dx": 0.02, "dy": 0.03, "unit_x": "s", "unit_y": "cm/s"}
    ]


def test_where_a_mammogram_was_taken() -> None:
    made = dataset(slope(4, 4), ImageLaterality="R", ViewCodeSequence=code("R-10226", "medio-lateral oblique"),
                   PatientOrientation=["P", "F"])  # fmt: skip
    frame = frames_of(made, 1)[0]
    assert (frame["laterality"], frame["view_position"]) == ("R", "medio-lateral oblique")
    assert frame["patient_orientation"] == ["P", "F"]


def entries(table: dict[str, Any]) -> list[int]:
    return np.frombuffer(base64.b64decode(table["data"]), "<u2").tolist()


@pytest.mark.parametrize("first", [0, -4])
def test_tables_of_grey_values(first: int) -> None:
    table = item(LUTDescriptor=[4, first, 12], LUTData=np.array([0, 100, 1000, 4095], "<u2").tobytes())
    modality = item(LUTDescriptor=[2, 0, 8], LUTData=bytes([7, 0, 9, 0]), ModalityLUTType="OD")
    made = dataset(slope(4, 4), VOILUTSequence=[table], ModalityLUTSequence=[modality], RescaleSlope=3)
    frame = frames_of(made, 1)[0]
    assert (frame["modality_lut"], frame["voi_lut"], frame["slope"]) == (0, 1, 1.0)
    assert [(t["first"], t["bits"], entries(t)) for t in frame["tables"]] == [
        (0, 8, [7, 9]),
        (first, 12, [0, 100, 1000, 4095]),
    ]


@pytest.mark.parametrize(
    ("descriptor", "data"),
    [([4, 0, 12], b"\0\0"), ([4, 0, 32], bytes(8)), ([0, 0, 16], bytes(100)), ([4, 0, 0], bytes(8))],
)
def test_a_table_that_is_not_whole_is_none(descriptor: list[int], data: bytes) -> None:
    frame = frames_of(dataset(slope(4, 4), VOILUTSequence=[item(LUTDescriptor=descriptor, LUTData=data)]), 1)[
        0
    ]
    assert (frame["voi_lut"], frame["tables"]) == (None, [])


def coloured(**elements: Any) -> Dataset:
    made = dataset(np.arange(16, dtype="u1").reshape(4, 4), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", elements.get("descriptor", [4, 0, 16]))
        for keyword, value in elements.items():
            if keyword != "descriptor":
                setattr(made, keyword.replace("Red", colour), value)
    return made


def test_palettes() -> None:
    data = np.array([0, 20000, 40000, 65535], "<u2").tobytes()
    frame = frames_of(coloured(RedPaletteColorLookupTableData=data), 1)[0]
    assert frame["palette"] == [0, 1, 2]
    assert (entries(frame["tables"][2]), frame["tables"][2]["bits"]) == ([0, 20000, 40000, 65535], 16)
    small = frames_of(coloured(RedPaletteColorLookupTableData=bytes([1, 0, 2, 0, 3, 0, 255, 0])), 1)[0]
    assert small["tables"][0]["bits"] == 8, "16 bits in the descriptor, 8 in the data"


def test_segmented_palettes() -> None:
    # Discrete 10, 20; linear in 4 steps to 60; the first segment once more (PS3.3 §C.7.9.2.1).
    words = [0, 2, 10, 20, 1, 4, 60, 2, 1, 0, 0]
    data = np.array(words, "<u2").tobytes()
    made = coloured(descriptor=[8, 0, 16], SegmentedRedPaletteColorLookupTableData=data)
    frame = frames_of(made, 1)[0]
    assert entries(frame["tables"][0]) == [10, 20, 30, 40, 50, 60, 10, 20]


@pytest.mark.parametrize(
    "words", [[1, 4, 60], [7, 2, 1, 1], [0, 60000, 1], [2, 1, 0, 0], [1, 60000, 5], [0, 0] * 50]
)
def test_segments_that_lie_are_no_palette(words: list[int]) -> None:
    data = np.array(words, "<u2").tobytes()
    made = coloured(descriptor=[8, 0, 16], SegmentedRedPaletteColorLookupTableData=data)
    assert frames_of(made, 1)[0]["palette"] is None


def test_values_that_are_no_numbers_tell_nothing() -> None:
    made = enhanced([group(float("nan")), group(float("inf")), group(3)])
    made.SequenceOfUltrasoundRegions = [item(PhysicalDeltaX=float("nan"))]
    made.RescaleSlope = 0
    frames = frames_of(made)
    assert [frame["position"] for frame in frames] == [None, None, [1, 2, 3]]
    assert (frames[0]["regions"], frames[0]["slope"]) == (None, 1.0)


def test_more_frames_than_a_browser_lists_are_not_listed() -> None:
    made = dataset(np.zeros((50_001, 1, 1), "u1"))
    prepared = prepare(dicom_files.part10(made))
    assert (prepared.frames, prepared.joined) == ([], [])
    assert "frames-in-pieces" in prepared.flags
