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
