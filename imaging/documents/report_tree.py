"""A structured report as lines to read: its content tree flattened, with limits (PS3.3 §A.35, §C.17.3)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from imaging.documents.concept_words import said_in_chinese
from imaging.facts.values import first_item, items, meaning, numbers, text, word

MAX_DEPTH, MAX_LINES, MAX_TEXT = 16, 3000, 8000
# What frames the content is no part of what a reader looks for.
SILENT_TYPES = frozenset({"UIDREF"})


@dataclass(frozen=True)
class Line:
    """`kind`: heading, text or image; `depth` from 0; for an image `instance` and the frames."""

    depth: int
    kind: str
    name: str
    value: str
    instance: str = ""


@dataclass
class ReportTree:
    """A report as a page shows it. `is_cut`: there is more than the limits let through."""

    title: str
    facts: list[tuple[str, str]]
    lines: list[Line] = field(default_factory=list)
    is_cut: bool = False


def report_tree(header: Dataset) -> ReportTree:
    """Read a structured report. What cannot be read is left out."""
    tree = ReportTree(_name(header) or "结构化报告", _facts(header))
    waiting = [(item, 0) for item in reversed(items(header, "ContentSequence", MAX_LINES))]
    while waiting:
        item, depth = waiting.pop()
        if len(tree.lines) >= MAX_LINES or depth >= MAX_DEPTH:
            tree.is_cut = True
            continue
        line = _line(item, depth)
        if line is not None:
            tree.lines.append(line)
        inner = items(item, "ContentSequence", MAX_LINES)
        waiting += [(child, depth + 1) for child in reversed(inner)]
    return tree


def _line(item: Dataset, depth: int) -> Line | None:
    kind = word(item, "ValueType", 16)
    if kind in SILENT_TYPES:
        return None
    name = _name(item)
    if kind == "CONTAINER":
        return Line(depth, "heading", name, "") if name else None
    if kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        return _reference(item, depth, name)
    read = _READERS.get(kind)
    value = read(item) if read else ""
    return Line(depth, "text", name, value) if name or value else None


def _reference(item: Dataset, depth: int, name: str) -> Line | None:
    reference = first_item(item, "ReferencedSOPSequence")
    if reference is None:
        return None
    instance = word(reference, "ReferencedSOPInstanceUID")
    frames = [f"{frame:.0f}" for frame in numbers(reference, "ReferencedFrameNumber")]
    value = f"第 {'、'.join(frames)} 帧" if frames else ""
    return Line(depth, "image", name or "引用的影像", value, instance)


def _name(item: Dataset) -> str:
    concept = first_item(item, "ConceptNameCodeSequence")
    if concept is None:
        return ""
    return said_in_chinese(word(concept, "CodeValue", 32), text(concept, "CodeMeaning", 128))


def _code(item: Dataset) -> str:
    return meaning(item, "ConceptCodeSequence", 500)


def _number(item: Dataset) -> str:
    measured = first_item(item, "MeasuredValueSequence")
    if measured is None:
        return meaning(item, "NumericValueQualifierCodeSequence") or "—"
    unit = first_item(measured, "MeasurementUnitsCodeSequence")
    code = word(unit, "CodeValue", 32) if unit is not None else ""
    # UCUM writes "no unit" as 1 and annotations in braces.
    shown = "" if code == "1" or code.startswith("{") else code
    return f"{word(measured, 'NumericValue', 32)} {shown}".strip()


def _date(item: Dataset) -> str:
    return _digits_as_time(word(item, "DateTime", 32) or word(item, "Date", 16) or word(item, "Time", 16))


def _person(item: Dataset) -> str:
    return _as_name(text(item, "PersonName", 200))


def _spatial(item: Dataset) -> str:
    return word(item, "GraphicType", 16)


_READERS: dict[str, Callable[[Dataset], str]] = {
    "TEXT": lambda item: text(item, "TextValue", MAX_TEXT),
    "CODE": _code,
    "NUM": _number,
    "DATETIME": _date,
    "DATE": _date,
    "TIME": _date,
    "PNAME": _person,
    "SCOORD": _spatial,
    "SCOORD3D": _spatial,
    "TCOORD": lambda item: word(item, "TemporalRangeType", 16),
}
_COMPLETION = {"COMPLETE": "已完成", "PARTIAL": "未完成"}
_VERIFICATION = {"VERIFIED": "已审核", "UNVERIFIED": "未审核"}


def _facts(header: Dataset) -> list[tuple[str, str]]:
    verified = first_item(header, "VerifyingObserverSequence")
    found = [
        ("日期", _digits_as_time(word(header, "ContentDate", 8) + word(header, "ContentTime", 6))),
        ("状态", _COMPLETION.get(word(header, "CompletionFlag", 16), "")),
        ("审核", _VERIFICATION.get(word(header, "VerificationFlag", 16), "")),
        ("审核人", _as_name(text(verified, "VerifyingObserverName", 200)) if verified is not None else ""),
    ]
    return [(name, value) for name, value in found if value]


def _digits_as_time(written: str) -> str:
    """20010213184746 as 2001-02-13 18:47; what is not written so as it is."""
    digits = written.partition(".")[0]
    if not digits.isdigit() or len(digits) < 8:
        return written
    day = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    return f"{day} {digits[8:10]}:{digits[10:12]}" if len(digits) >= 12 else day


def _as_name(written: str) -> str:
    """The groups of a person name without their marks (PS3.5 §6.2.1)."""
    groups = [" ".join(group.replace("^", " ").split()) for group in written.split("=")]
    return " ".join(dict.fromkeys(group for group in groups if group))
