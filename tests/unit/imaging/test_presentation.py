"""Presentation states and key objects: drawings for the images they name, and nothing of what is hostile."""

import io
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from imaging.facts.document import document_facts
from tests.unit.imaging import documents_made as made
from tests.unit.imaging.dicom_files import ROOT, part10

pytestmark = pytest.mark.requirement("E13", "E16")


def told(state: Dataset) -> tuple[list[dict[str, Any]], list[str]]:
    header = pydicom.dcmread(io.BytesIO(part10(state)))
    facts, doubts = document_facts(header)
    return facts.get("presentations", []), doubts


def line(points: list[float], kind: str = "POLYLINE", units: str = "PIXEL") -> Dataset:
    return made.item(
        GraphicType=kind, GraphicAnnotationUnits=units, GraphicData=points, GraphicDimensions=2, GraphicFilled="N",
        NumberOfGraphicPoints=len(points) // 2,
    )  # fmt: skip


def drawn(*objects: Dataset, of: list[Dataset] | None = None, texts: list[Dataset] | None = None) -> Dataset:
    annotation = made.item(GraphicLayer="A", GraphicObjectSequence=list(objects))
    if of:
        annotation.ReferencedImageSequence = of
    if texts:
        annotation.TextObjectSequence = texts
    return annotation


def test_drawings_belong_to_the_images_that_they_name() -> None:
    text = made.item(
        UnformattedTextValue="结节", BoundingBoxAnnotationUnits="DISPLAY",
        BoundingBoxTopLeftHandCorner=[0.1, 0.2], BoundingBoxBottomRightHandCorner=[0.3, 0.4],
    )  # fmt: skip
    state = made.presentation(
        SpecificCharacterSet="ISO_IR 192",
        GraphicAnnotationSequence=[
            drawn(line([0, 0, 10, 5]), of=[made.reference(2)]),
            drawn(line([4, 4, 8, 4], "CIRCLE"), texts=[text]),
        ],
        PresentationLUTShape="INVERSE",
        ShutterShape=["RECTANGULAR", "CIRCULAR"], ShutterLeftVerticalEdge=11, ShutterRightVerticalEdge=20,
        ShutterUpperHorizontalEdge=1, ShutterLowerHorizontalEdge=8, CenterOfCircularShutter=[5, 15],
        RadiusOfCircularShutter=4,
    )  # fmt: skip
    (first, second), doubts = told(state)
    assert doubts == []
    assert [target["instance"] for target in first["targets"]] == [f"{ROOT}.3.1"]
    assert [one["type"] for one in first["graphics"]] == ["CIRCLE", "TEXT"]
    assert [one["type"] for one in second["graphics"]] == ["POLYLINE", "CIRCLE", "TEXT"]
    assert second["graphics"][0]["points"] == [[0, 0], [10, 5]]
    label = second["graphics"][2]
    assert (label["text"], label["units"], label["points"]) == ("结节", "DISPLAY", [[0.1, 0.2], [0.3, 0.4]])
    assert first["inverse"] is True
    assert first["shutter"] == {
        "rectangle": [10, 0, 20, 8],
        "circle": {"center": [14.5, 4.5], "radius": 4},
    }


def graphics_by_frame(state: Dataset) -> dict[Any, int]:
    """How many drawings each (frames) of the only image gets; None: all of its frames."""
    found, doubts = told(state)
    assert doubts == []
    return {
        tuple(target["frames"]) if target["frames"] else None: len(one["graphics"])
        for one in found
        for target in one["targets"]
    }


def test_a_drawing_for_one_frame_is_on_no_other() -> None:
    for_all, for_third = drawn(line([0, 0, 1, 1])), drawn(line([0, 0, 9, 9]), of=[made.reference(1, 3)])
    state = made.presentation(references=1, GraphicAnnotationSequence=[for_all, for_third])
    assert graphics_by_frame(state) == {None: 1, (3,): 1}
    state.ReferencedSeriesSequence[0].ReferencedImageSequence = [made.reference(1, 2, 3)]
    assert graphics_by_frame(state) == {(2, 3): 1, (3,): 1}
    state.ReferencedSeriesSequence[0].ReferencedImageSequence = [made.reference(1, 3)]
    assert graphics_by_frame(state) == {(3,): 2}
    state.ReferencedSeriesSequence[0].ReferencedImageSequence = [made.reference(1, 4)]
    assert graphics_by_frame(state) == {(4,): 1}


def test_a_window_for_one_frame_is_of_no_other() -> None:
    voi = made.item(WindowCenter="40", WindowWidth="400", ReferencedImageSequence=[made.reference(1, 2)])
    found, _ = told(made.presentation(references=1, SoftcopyVOILUTSequence=[voi]))
    assert [(one["voi"], one["targets"][0]["frames"]) for one in found] == [
        (None, None),
        ({"center": 40, "width": 400}, [2]),
    ]


def test_frames_that_cannot_be_read_are_not_all_frames() -> None:
    of = made.reference(1, *range(1, 4100))
    state = made.presentation(references=1, GraphicAnnotationSequence=[drawn(line([0, 0, 1, 1]), of=[of])])
    assert told(state) == ([], ["not-understood:ValueError"])


@pytest.mark.parametrize(
    "graphic",
    [
        line([0, 0, float("nan"), 5]),
        line([0, 0, 1, 1], "ROCKET"),
        line([0, 0, 1, 1], units="MILES"),
        line([]),
        line([0.0] * 5000),
    ],
)
def test_a_drawing_that_cannot_be_is_left_out(graphic: Dataset) -> None:
    (state,), doubts = told(made.presentation(GraphicAnnotationSequence=[drawn(graphic)]))
    assert (state["graphics"], doubts) == ([], [])


@pytest.mark.parametrize(
    "state",
    [
        made.presentation(references=0),
        made.presentation(references=5000),
        made.presentation(GraphicAnnotationSequence=[drawn(*[line([0, 0, 1, 1])] * 400)] * 2),
        made.presentation(
            GraphicAnnotationSequence=[drawn(line([0.123456] * 4000)) for _ in range(40)],
        ),
    ],
)
def test_a_state_beyond_its_limits_is_a_file(state: Dataset) -> None:
    found, doubts = told(state)
    assert (found, doubts) == ([], ["not-understood:ValueError"])


def test_turned_by_what_is_no_right_angle_is_not_turned() -> None:
    (state,), _ = told(made.presentation(ImageRotation=45))
    assert (state["rotation"], state["flip"], state["shutter"], state["voi"]) == (0, False, None, None)
