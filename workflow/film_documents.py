"""When someone opens a document of an exam (PDF, report, waveform, video), then it comes from its pack, on record (E11)."""

from typing import Any

from core.models import Exam, Instance, Series
from imaging.facts.document import kind_of

SHOWN = frozenset({"pdf", "sr", "ecg", "video"})
TITLES = {"pdf": "PDF 报告", "sr": "结构化报告", "ecg": "波形", "video": "视频", "other": "其他文件"}
NOT_UNDERSTOOD = "not-understood"


def document_entry(exam: Exam, series: Series, told: dict[str, Any]) -> dict[str, str]:
    """One line of the manifest's documents. `told`: what the pack's view says of it."""
    sop_uid = told["sop_uid"]
    kind = told.get("kind") or kind_of(Instance.get(Instance.sop_uid == sop_uid).sop_class_uid)
    download = f"/api/v1/exams/{exam.id}/files/{sop_uid}"
    title = told.get("title") or series.description or TITLES[kind]
    if any(flag.startswith(NOT_UNDERSTOOD) for flag in told["flags"]):
        title += "（内容未能读取，可下载原文件）"
    return {
        "kind": kind,
        "title": title,
        "url": f"/exams/{exam.id}/documents/{sop_uid}" if kind in SHOWN else download,
        "download_url": download,
    }
