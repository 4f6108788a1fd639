"""What the viewer must know of an instance's frames, as plain JSON values (contract: web/src/manifest).

An element that cannot be read counts as absent, whatever pydicom says of it.
"""

import json
import math
from typing import Any

from pydicom.dataset import Dataset


def view_facts(header: Dataset, codec: str) -> dict[str, Any]:
    """The facts that all frames of one instance share; lists are empty and values None where the header is silent."""
    facts: dict[str, Any] = {
        "codec": codec,
        "rows": _whole(header, "Rows"),
        "columns": _whole(header, "Columns"),
        "samples": _whole(header, "SamplesPerPixel", 1),
        "bits_allocated": _whole(header, "BitsAllocated"),
        "bits_stored": _whole(header, "BitsStored"),
        "signed": bool(_whole(header, "PixelRepresentation")),
        "photometric": _word(header, "PhotometricInterpretation") or "MONOCHROME2",
        "slope": (_numbers(header, "RescaleSlope") or [1.0])[0],
        "intercept": (_numbers(header, "RescaleIntercept") or [0.0])[0],
        "center": _numbers(header, "WindowCenter"),
        "width": _numbers(header, "WindowWidth"),
        "spacing": _exactly(2, _numbers(header, "PixelSpacing")),
        "position": _exactly(3, _numbers(header, "ImagePositionPatient")),
        "orientation": _exactly(6, _numbers(header, "ImageOrientationPatient")),
        "instance": _word(header, "SOPInstanceUID"),
        "number": _whole(header, "InstanceNumber"),
    }
    if len(facts["center"]) != len(facts["width"]):
        facts["center"], facts["width"] = [], []
    return facts


def metadata_of(header: Dataset) -> dict[str, Any]:
    """DICOM JSON of the header (PS3.18 §F); bulk values are left out, they are in the entry.

    Raises ValueError for a number that JSON has no word for (NaN, infinity).
    """
    result: dict[str, Any] = header.to_json_dict(
        bulk_data_threshold=1024, bulk_data_element_handler=lambda _: ""
    )
    json.dumps(result, allow_nan=False)
    return result


def _whole(header: Dataset, name: str, default: int = 0) -> int:
    try:
        return int(header.get(name) or default)
    except Exception:
        return default


def _word(header: Dataset, name: str) -> str:
    try:
        return str(header.get(name) or "")
    except Exception:
        return ""


def _numbers(header: Dataset, name: str) -> list[float]:
    try:
        value = header.get(name)
        if value is None or value == "":
            return []
        values = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
        numbers = [float(item) for item in values]
        # NaN is a legal float and no JSON: a browser could not read the series.
        return numbers if all(map(math.isfinite, numbers)) else []
    except Exception:
        return []


def _exactly(count: int, values: list[float]) -> list[float] | None:
    return values if len(values) == count else None
