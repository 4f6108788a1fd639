"""Frames in the order of space, and what the viewer may have of a pack's manifest."""

import random
from typing import Any

import pytest

from imaging.frame_columns import expand
from imaging.frame_table import in_order_of_space, pack_view

AXIAL, CORONAL = [1.0, 0, 0, 0, 1, 0], [1.0, 0, 0, 0, 0, -1]


def frame(
    number: int, position: list[float] | None = None, orientation: list[float] | None = None
) -> dict[str, Any]:
    return {
        "number": number,
        "instance": f"1.{number}",
        "frame": 1,
        "position": position,
        "orientation": orientation,
    }


def numbers(frames: list[dict[str, Any]]) -> list[int]:
    shuffled = random.Random(4).sample(frames, len(frames))
    return [item["number"] for item in in_order_of_space(shuffled)]


@pytest.mark.requirement("K2", "E14")
def test_along_the_normal_whatever_the_numbers_say() -> None:
    axial = [frame(9 - z, [0, 0, z * 2.5], AXIAL) for z in range(9)]
    assert numbers(axial) == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    # The normal of a coronal stack is +y: from front to back.
    coronal = [frame(y, [0, y * 3.0, 100 - y], CORONAL) for y in range(5)]
    assert numbers(coronal) == [0, 1, 2, 3, 4]


def test_cosines_may_differ_in_their_last_digits() -> None:
    frames = [frame(9 - z, [0, 0, z * 2.5], [1.0, z * 1e-5, 0, 0, 1, 0]) for z in range(5)]
    assert numbers(frames) == [9, 8, 7, 6, 5]


@pytest.mark.parametrize(
    "odd", [frame(0, [0, 0, 50.0], CORONAL), frame(0, None, AXIAL), frame(0, [0, 0, 50.0], None)]
)
def test_by_number_when_they_are_no_stack(odd: dict[str, Any]) -> None:
    assert numbers([odd] + [frame(9 - z, [0, 0, z * 2.5], AXIAL) for z in range(3)]) == [0, 7, 8, 9]


def test_phases_at_one_place_are_in_order_of_their_numbers() -> None:
    frames = [frame(number, [0, 0, number % 2 * 5.0], AXIAL) for number in range(6)]
    assert numbers(frames) == [0, 2, 4, 1, 3, 5]


def test_frames_of_one_file_keep_their_order() -> None:
    cine = [{**frame(1), "frame": number} for number in range(1, 5)]
    assert [item["frame"] for item in in_order_of_space(cine[::-1])] == [1, 2, 3, 4]


def row(sop_uid: str, frames: list[list[int]], **view: Any) -> dict[str, Any]:
    facts = {
        "codec": "htj2k",
        "bits_allocated": 16,
        "samples": 1,
        "rows": 8,
        "columns": 8,
        "number": 1,
        "instance": sop_uid,
        "position": None,
        "orientation": None,
        **view,
    }
    return {"sop_uid": sop_uid, "number": 1, "frames": frames, "view": facts, "flags": []}


@pytest.mark.requirement("E13", "F2")
def test_what_the_viewer_cannot_draw_is_a_document() -> None:
    manifest = {
        "instances": [
            row("1.1", [[4096, 10], [8192, 11]]),
            row("1.2", []),
            row("1.3", [[0, 1]], codec="unknown"),
            row("1.4", [[0, 1]], samples=4),
            row("1.5", [[0, 1]], bits_allocated=64),
            {**row("1.6", []), "view": {}},
            row("1.7", [[0, 1]], rows=2**15, columns=2**15),
        ]
    }
    view = pack_view(manifest)
    assert [(item["offset"], item["length"], item["frame"]) for item in expand(view)] == [
        (4096, 10, 1),
        (8192, 11, 2),
    ]
    assert [item["sop_uid"] for item in view["documents"]] == ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"]
