"""How values read on a page: states in words, money in yuan, times in the hospital's clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Flask

from api.data_address import webp_address
from api.embedding import embed_origins
from api.guards import page_token, staff_role
from api.pages import alarm_words, message_words
from api.request_scope import platform
from core.logs import mask_text

# All of China keeps one clock.
HOSPITAL_ZONE = ZoneInfo("Asia/Shanghai")


class StateWords(NamedTuple):
    """What a state is called, its colour (ready | waiting | error), and what the reader can do."""

    label: str
    tone: str
    advice: str


class Bar(NamedTuple):
    """One bar of a small chart, and what it stands for."""

    x: int
    y: int
    height: int
    value: int


STATES = {
    "published": StateWords("可查看", "ready", ""),
    "awaiting_payment": StateWords("待缴费", "waiting", "请在自助机或收费窗口缴纳云胶片费，缴费后即可查看。"),
    "awaiting_images": StateWords("影像整理中", "waiting", "影像正在归档，完成后会以短信通知您。"),
    "awaiting_report": StateWords("报告审核中", "waiting", "医生正在审核报告，完成后会以短信通知您。"),
    "cancelled": StateWords("已取消", "error", "本次检查已取消，如有疑问请联系医院。"),
}
REPORT_STATUS = {"F": "正式报告", "C": "更正报告"}


def install(app: Flask) -> None:
    """Give the templates their filters and globals."""
    app.jinja_env.filters.update(
        yuan=yuan,
        local_time=local_time,
        local_date=local_date,
        local_year=local_year,
        webp_address=webp_address,
        local_minute=local_minute,
        local_input=local_input,
        mask_text=mask_text,
        age=age,
        ago=ago,
        bars=bars,
    )
    app.jinja_env.globals.update(
        states=STATES,
        report_status=REPORT_STATUS,
        csrf_token=page_token,
        staff_role=staff_role,
        message_words=message_words,
        alarm_words=alarm_words,
        embed_origins=embed_origins,
    )
    app.context_processor(lambda: {"hospital_name": platform().settings.hospital_name})


def yuan(amount_fen: int) -> str:
    """2500 → 25.00."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def local_time(moment: datetime) -> str:
    """2026-11-24 09:30."""
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d %H:%M")


def local_minute(moment: datetime) -> str:
    """11-24 09:30:05, for what is looked at while it happens."""
    return moment.astimezone(HOSPITAL_ZONE).strftime("%m-%d %H:%M:%S")


def local_input(moment: datetime) -> str:
    """2026-11-24T09:30, as an input of type datetime-local takes it."""
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%dT%H:%M")


def age(since: datetime, moment: datetime) -> str:
    """How long it has been, in one unit: 45 秒, 3 分钟, 5 小时, 2 天."""
    seconds = max(int((moment - since).total_seconds()), 0)
    for size, unit in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= 2 * size or (seconds >= size and unit != "天"):
            return f"{seconds // size} {unit}"
    return f"{seconds} 秒"


def ago(since: datetime, moment: datetime) -> str:
    """刚刚, 3 分钟前."""
    return "刚刚" if (moment - since).total_seconds() < 60 else f"{age(since, moment)}前"


def bars(counts: Sequence[int]) -> list[Bar]:
    """A bar for each count, in a picture of 4 units per bar and 24 in height; what is not nothing is seen."""
    highest = max(counts, default=0)
    heights = [max(round(20 * count / highest), 2) if count else 1 for count in counts]
    return [
        Bar(4 * place, 24 - height, height, count)
        for place, (height, count) in enumerate(zip(heights, counts, strict=True))
    ]


def local_date(moment: datetime) -> str:
    """2026-11-24."""
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d")


def local_year(moment: datetime) -> int:
    """2026."""
    return moment.astimezone(HOSPITAL_ZONE).year
