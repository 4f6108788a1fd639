"""Key Object Selection: the images that somebody marked, and why (PS3.3 §A.35.4, PS3.16 TID 2010)."""

from typing import Any

from pydicom.dataset import Dataset

from imaging.facts.values import first_item, items, meaning, referenced_frames, text, word

MAX_IMAGES = 500
DESCRIPTION = "113012"


def key_images(header: Dataset) -> list[dict[str, Any]]:
    """`instance`, `frame` from 1, and `title` of each; references of one object to several frames are several."""
    content = items(header, "ContentSequence", MAX_IMAGES)
    why = meaning(header, "ConceptNameCodeSequence")
    said = next((text(item, "TextValue", 200) for item in content if _concept(item) == DESCRIPTION), "")
    title = "：".join(part for part in (why, said) if part)
    found = []
    for item in content:
        reference = first_item(item, "ReferencedSOPSequence")
        if word(item, "ValueType", 16) != "IMAGE" or reference is None:
            continue
        instance = word(reference, "ReferencedSOPInstanceUID")
        frames = referenced_frames(reference, MAX_IMAGES) or (1,)
        found += [{"instance": instance, "frame": frame, "title": title} for frame in frames if instance]
    return found[:MAX_IMAGES]


def _concept(item: Dataset) -> str:
    name = first_item(item, "ConceptNameCodeSequence")
    return word(name, "CodeValue", 16) if name is not None else ""
