"""What the viewer is told: frames in the order of space, and everything that is no picture as a document."""

import random
from typing import Any

import pytest

from imaging.frame_table import in_order_of_space, is_viewable, pack_view

pytestmark = pytest.mark.requirement("K2", "E12", "E13")

AXIAL, SAGITTAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def view(instance: str = "1.2.3", **changed: Any) -> dict[str, Any]:
    facts = {
        "codec": "htj2k",
        "bits_allocated": 16,
        "samples": 1,
        "orientation": AXIAL,
        "position": [0.0, 0.0, 0.0],
        "instance": instance,
        "number": 1,
    }
    return {**facts, **changed}


def row(facts: dict[str, Any], frames: list[list[int]], flags: list[str] | None = None) -> dict[str, Any]:
    return {
        "sop_uid": facts.get("instance", "1.2.9"),
        "number": 7,
        "view": facts,
        "frames": frames,
        "flags": flags or [],
    }


def placed(*positions: list[float] | None, orientation: list[float] | None = AXIAL) -> list[dict[str, Any]]:
    return [
        {**view(str(index), position=position, number=index, orientation=orientation), "frame": 1}
        for index, position in enumerate(positions)
    ]


def test_frames_have_their_place_in_the_zip_and_their_facts() -> None:
    made = pack_view({"instances": [row(view(), [[4096, 100], [8192, 90]])]})
    assert made["documents"] == []
    assert [(f["frame"], f["offset"], f["length"], f["codec"]) for f in made["frames"]] == [
        (1, 4096, 100, "htj2k"),
        (2, 8192, 90, "htj2k"),
    ]


@pytest.mark.parametrize(
    "facts",
    [
        view(codec="none"),
        view(codec="unknown"),
        view(bits_allocated=1),
        view(bits_allocated=64),
        view(samples=4),
        {},
    ],
)
def test_what_cannot_be_drawn_is_a_document(facts: dict[str, Any]) -> None:
    assert not is_viewable(facts)
    made = pack_view({"instances": [row(facts, [[0, 10]], ["verbatim"])]})
    assert made["frames"] == []
    assert made["documents"] == [
        {"sop_uid": facts.get("instance", "1.2.9"), "flags": ["verbatim"], "number": 7}
    ]


def test_an_image_whose_frames_were_not_found_is_a_document() -> None:
    made = pack_view({"instances": [row(view(), [], ["verbatim", "frames-in-pieces"])]})
    assert [document["flags"] for document in made["documents"]] == [["verbatim", "frames-in-pieces"]]


def test_nothing_beyond_the_table_leaves_the_manifest() -> None:
    secret = {**row(view(), [[0, 10]]), "rebuild": {"meta": "head bytes"}, "file_sm3": "ab"}
    made = pack_view({"instances": [secret]})
    assert set(made["frames"][0]) == {*view(), "offset", "length", "frame", "levels"}


@pytest.mark.parametrize(("orientation", "axis", "sign"), [(AXIAL, 2, 1), (SAGITTAL, 0, -1)])
def test_order_is_along_the_normal_whatever_came_first(
    orientation: list[float], axis: int, sign: int
) -> None:
    positions = [[0.0, 0.0, 0.0] for _ in range(12)]
    for index, position in enumerate(positions):
        position[axis] = index * 2.5 - 9
    random.Random(3).shuffle(positions)
    ordered = in_order_of_space(placed(*positions, orientation=orientation))
    along = [frame["position"][axis] * sign for frame in ordered]
    assert along == sorted(along)


def test_frames_at_one_place_keep_the_order_of_their_numbers() -> None:
    frames = placed([0.0, 0.0, 5.0], [0.0, 0.0, 5.00001], [0.0, 0.0, 5.0])
    assert [frame["number"] for frame in in_order_of_space(frames[::-1])] == [0, 1, 2]


@pytest.mark.parametrize(
    "frames",
    [
        placed([0.0, 0.0, 9.0], None, [0.0, 0.0, 1.0]),
        placed([0.0, 0.0, 9.0], [0.0, 0.0, 5.0], [0.0, 0.0, 1.0], orientation=None),
        [
            *placed([0.0, 0.0, 9.0], [0.0, 0.0, 5.0]),
            {**view("2", number=2, orientation=SAGITTAL), "frame": 1},
        ],
    ],
    ids=["one without position", "no orientation", "two orientations"],
)
def test_without_one_common_normal_numbers_decide(frames: list[dict[str, Any]]) -> None:
    assert [frame["number"] for frame in in_order_of_space(frames[::-1])] == [0, 1, 2]


def test_frames_of_one_instance_stay_in_order() -> None:
    frames = [{**view("a", orientation=None), "frame": number} for number in (3, 1, 2)]
    assert [frame["frame"] for frame in in_order_of_space(frames)] == [1, 2, 3]
    assert in_order_of_space([]) == []
