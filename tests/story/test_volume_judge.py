"""SimpleITK judges the viewer's cuts: the same voxels, planes and slabs, resampled by both (E17, K3).

Tolerance: half a unit of rounding, plus what a voxel's difference can make where the two programs round a place differently.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from numpy.typing import NDArray

from tests.shared_data import shared_dir

WEB = Path(__file__).resolve().parents[2] / "web"
VITEST = WEB / "node_modules" / ".bin" / "vitest"
ROWS, COLUMNS, SLICES = 60, 72, 48

pytestmark = [
    pytest.mark.requirement("E17", "K3"),
    pytest.mark.skipif(not VITEST.exists(), reason="node packages are not installed: npm ci in web/"),
]

Cut = dict[str, Any]


def smooth(x: NDArray[Any], y: NDArray[Any], z: NDArray[Any]) -> NDArray[np.int16]:
    """Something without symmetry whose values change by some twenty units a voxel."""
    field = 400 * np.sin(x / 9) * np.cos(y / 11) + 300 * np.sin(z / 8 + x / 15) + 2 * y
    return np.rint(field).astype(np.int16)


def cut(centre: Any, right: Any, down: Any, slab_mm: float = 0, blend: str = "mean") -> Cut:
    return {
        "centre": list(centre),
        "right": list(right),
        "down": list(down),
        "columns": 40,
        "rows": 36,
        "spacing": [0.8, 0.7],
        "slab_mm": slab_mm,
        "blend": blend,
    }


def turned(degrees_x: float, degrees_z: float) -> NDArray[Any]:
    a, b = np.radians([degrees_x, degrees_z])
    around_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    around_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return around_z @ around_x


def ours(
    tmp_path: Path, frames: list[dict[str, Any]], voxels: NDArray[np.int16], cuts: list[Cut]
) -> list[Any]:
    """What the viewer's code cuts out, as (rows, columns) in output units."""
    (tmp_path / "case.json").write_text(json.dumps({"frames": frames, "cuts": cuts}))
    (tmp_path / "voxels.bin").write_bytes(voxels.tobytes())
    node = shutil.which("node")
    assert node
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLOUDFILM_JUDGE", str(tmp_path))
        done = subprocess.run(
            [node, str(VITEST.resolve()), "run", "tests/volume/judge.test.ts"],
            cwd=WEB,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [
        np.fromfile(tmp_path / f"cut_{i}.bin", np.float32).reshape(one["rows"], one["columns"])
        for i, one in enumerate(cuts)
    ]


def theirs(image: SimpleITK.Image, one: Cut, depth: float = 0) -> NDArray[Any]:
    """The plane `depth` mm along the normal from the cut's own, by SimpleITK's linear resampling."""
    right, down = np.array(one["right"]), np.array(one["down"])
    normal = np.cross(right, down)
    row_mm, column_mm = one["spacing"]
    first = (
        np.array(one["centre"])
        + depth * normal
        - right * column_mm * (one["columns"] - 1) / 2
        - down * row_mm * (one["rows"] - 1) / 2
    )
    resample = SimpleITK.ResampleImageFilter()
    resample.SetSize((one["columns"], one["rows"], 1))
    resample.SetOutputSpacing((column_mm, row_mm, 1.0))
    resample.SetOutputOrigin(first.tolist())
    resample.SetOutputDirection(np.stack([right, down, normal], axis=1).ravel().tolist())
    resample.SetInterpolator(SimpleITK.sitkLinear)
    return SimpleITK.GetArrayFromImage(resample.Execute(image))[0]


def image_of(
    voxels: NDArray[np.int16], axes: NDArray[Any], origin: list[float], spacing: list[float]
) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(voxels.astype(np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(axes.ravel().tolist())
    return image


def generated() -> tuple[list[dict[str, Any]], NDArray[np.int16], SimpleITK.Image, NDArray[Any]]:
    """A volume whose slices lie askew in the patient; its frames, voxels, image, and middle."""
    z, y, x = np.mgrid[0:SLICES, 0:ROWS, 0:COLUMNS]
    voxels = smooth(x, y, z)
    axes, origin, spacing = turned(20, 10), [-30.0, 12.0, 7.0], [0.9, 1.1, 1.5]
    frames = [
        {
            "rows": ROWS,
            "columns": COLUMNS,
            "spacing": [spacing[1], spacing[0]],
            "position": (np.array(origin) + index * spacing[2] * axes[:, 2]).tolist(),
            "orientation": [*axes[:, 0].tolist(), *axes[:, 1].tolist()],
            "instance": f"1.{index}",
        }
        for index in range(SLICES)
    ]
    half = np.array([COLUMNS - 1, ROWS - 1, SLICES - 1]) / 2 * spacing
    return frames, voxels, image_of(voxels, axes, origin, spacing), np.array(origin) + axes @ half


def test_planes_and_slabs_of_a_volume_askew(tmp_path: Path) -> None:
    frames, voxels, image, middle = generated()
    x, y, z = np.eye(3)
    oblique = turned(-33, 41)
    planes = [
        cut(middle, x, y),
        cut(middle, x, -z),
        cut(middle, y, -z),
        cut(middle, oblique[:, 0], oblique[:, 1]),
    ]
    slabs = [cut(middle, oblique[:, 0], oblique[:, 1], 12, blend) for blend in ("max", "min", "mean")]
    cuts = ours(tmp_path, frames, voxels, [*planes, *slabs])
    for one, made in zip(planes, cuts[: len(planes)], strict=True):
        assert np.abs(made - theirs(image, one)).max() <= 1.0
    depths = np.linspace(-6, 6, 61)
    stack = np.stack([theirs(image, slabs[0], float(depth)) for depth in depths])
    # our slab takes a sample a voxel, the judge one in 0.2 mm: between them lies what half a voxel changes
    judged = {"max": stack.max(axis=0), "min": stack.min(axis=0), "mean": stack.mean(axis=0)}
    for one, made in zip(slabs, cuts[len(planes) :], strict=True):
        assert np.abs(made - judged[one["blend"]]).max() <= 12.0, one["blend"]
        assert np.abs(made - judged[one["blend"]]).mean() <= 3.0, one["blend"]


def test_a_tilted_gantry_is_cut_where_its_voxels_are(tmp_path: Path) -> None:
    """Each slice 3 mm further up and 1 mm further back: a shear that no image of SimpleITK has. The values know."""
    z, y, x = np.mgrid[0:SLICES, 0:ROWS, 0:COLUMNS]
    px, py, pz = x * 1.0, y * 1.0 + z * 1.0, z * 3.0
    value = np.rint(3 * px - 2 * py + 4 * pz).astype(np.int16)
    frames = [
        {
            "rows": ROWS,
            "columns": COLUMNS,
            "spacing": [1, 1],
            "position": [0, float(index), 3.0 * index],
            "orientation": [1, 0, 0, 0, 1, 0],
            "instance": f"1.{index}",
        }
        for index in range(SLICES)
    ]
    one = cut([35, 54, 72], [0, 1, 0], [0, 0, -1])
    (made,) = ours(tmp_path, frames, value, [one])
    rows, columns = np.mgrid[0 : one["rows"], 0 : one["columns"]]
    at_y = 54 + (columns - (one["columns"] - 1) / 2) * 0.7
    at_z = 72 - (rows - (one["rows"] - 1) / 2) * 0.8
    assert np.abs(made - (3 * 35 - 2 * at_y + 4 * at_z)).max() <= 0.6


def test_a_real_head_and_neck(tmp_path: Path) -> None:
    folder = shared_dir("data", "dicom", "ct_headneck_cerr")
    slices = sorted(
        (pydicom.dcmread(path) for path in folder.glob("*.dcm")), key=lambda one: one.ImagePositionPatient[2]
    )
    voxels = np.stack([one.pixel_array.astype(np.int32) for one in slices])
    values = (voxels * float(slices[0].RescaleSlope) + float(slices[0].RescaleIntercept)).astype(np.int16)
    frames = [
        {
            "rows": one.Rows,
            "columns": one.Columns,
            "spacing": [float(v) for v in one.PixelSpacing],
            "position": [float(v) for v in one.ImagePositionPatient],
            "orientation": [float(v) for v in one.ImageOrientationPatient],
            "instance": str(one.SOPInstanceUID),
        }
        for one in slices
    ]
    first, last = (np.array(frames[i]["position"]) for i in (0, -1))
    step = float(np.linalg.norm(last - first)) / (len(frames) - 1)
    row, column = np.split(np.array(frames[0]["orientation"]), 2)
    axes = np.stack([row, column, np.cross(row, column)], axis=1)
    row_mm, column_mm = frames[0]["spacing"]
    image = image_of(values, axes, first.tolist(), [column_mm, row_mm, step])
    half = np.array([slices[0].Columns - 1, slices[0].Rows - 1, len(frames) - 1]) / 2
    middle = first + axes @ (half * [column_mm, row_mm, step])
    x, y, z = np.eye(3)
    oblique = turned(25, -15)
    planes = [cut(middle, x, -z), cut(middle, y, -z), cut(middle, oblique[:, 0], oblique[:, 1])]
    for one, made in zip(planes, ours(tmp_path, frames, values, planes), strict=True):
        difference = np.abs(made - theirs(image, one))
        assert np.percentile(difference, 99) <= 1.0
        assert difference.max() <= 8.0  # at an edge of bone a rounding of the place is some units
