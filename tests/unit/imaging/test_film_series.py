"""A series of a film from the views of its packs: columns, tables, coarse levels, also of packs of the first version."""

from typing import Any

import pytest

from imaging import film_series
from imaging.film_series import series_of
from imaging.frame_columns import common_prefix, compact, expand
from imaging.frame_table import pack_view

pytestmark = pytest.mark.requirement("K2", "E14")

AXIAL = [1.0, 0, 0, 0, 1, 0]


def frame(number: int, **facts: Any) -> dict[str, Any]:
    return {
        "codec": "htj2k", "rows": 8, "columns": 8, "samples": 1, "bits_allocated": 16, "number": number, "frame": 1,
        "instance": f"1.2.{number}", "position": [0, 0, float(number)], "orientation": AXIAL, "spacing": [1, 1],
        "offset": number * 4096, "length": 100, **facts,
    }  # fmt: skip


def view(*numbers: int, **facts: Any) -> dict[str, Any]:
    rows = [
        {
            "sop_uid": f"1.2.{n}",
            "number": n,
            "flags": [],
            "view": frame(n, **facts),
            "frames": [[n * 4096, 100]],
        }
        for n in numbers
    ]
    return pack_view({"instances": rows, "low": None})


def test_columns_say_once_what_all_have_in_common() -> None:
    frames = [frame(number) for number in (1, 2, 3)]
    block = compact(frames)
    assert set(block["columns"]) == {"number", "instance", "position", "offset"}
    assert (block["instance_prefix"], block["columns"]["instance"]) == ("1.2.", ["1", "2", "3"])
    assert expand(block) == frames
    assert expand(compact(frames[:1])) == frames[:1]
    assert expand(compact([])) == []


@pytest.mark.parametrize(
    ("names", "prefix"), [([], ""), (["1.2"], "1.2"), (["1.2", "1.23"], "1.2"), (["1", "2"], "")]
)
def test_prefix(names: list[str], prefix: str) -> None:
    assert common_prefix(names) == prefix


def test_a_pack_of_the_first_version_is_read_with_the_others() -> None:
    old = {"frames": [frame(3), frame(1)], "documents": []}
    series = series_of([old, view(2)])
    frames = expand(series)
    assert [(one["number"], one["pack"]) for one in frames] == [(1, 0), (2, 1), (3, 0)]
    assert {one["spacing_kind"] for one in frames} <= {"patient", None}
    assert (series["low"], series["tables"], series["frame_of_reference"]) == (None, [], None)
    assert series["key"] == 1


def test_tables_of_several_packs_are_numbered_anew() -> None:
    red, blue = ({"first": 0, "bits": 8, "data": data} for data in ("AAA=", "BBB="))
    views = []
    for number, tables in ((1, [red]), (2, [blue, red])):
        one = view(number, voi_lut=len(tables) - 1)
        one["tables"] = tables
        views.append(one)
    series = series_of(views)
    assert series["tables"] == [red, blue]
    assert [one["voi_lut"] for one in expand(series)] == [0, 0], "both say red"


def test_what_a_viewer_does_not_take_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_series, "MAX_FRAMES", 2)
    series = series_of([view(1, 2, 3)])
    assert series["count"] == 2
    assert all(len(values) == 2 for values in series["columns"].values())


def test_nothing_of_the_ordering_is_told() -> None:
    series = series_of([view(1, 2, frame_of_reference="1.9", body_part="CHEST", tile=[1, 1])])
    assert (series["frame_of_reference"], series["body_part"]) == ("1.9", "CHEST")
    assert not {"tile", "slide", "low", "body_part", "frame_of_reference"} & {
        *series["common"],
        *series["columns"],
    }
