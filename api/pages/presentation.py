"""How values read on a page: states in words, money in yuan, times in the hospital's clock."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Flask

from api.data_address import webp_address
from api.guards import page_token
from api.request_scope import platform

# All of China keeps one clock.
HOSPITAL_ZONE = ZoneInfo("Asia/Shanghai")


class StateWords(NamedTuple):
    """What a state is called, its colour (ready | waiting | error), and what the reader can do."""

    label: str
    tone: str
    advice: str


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
    )
    app.jinja_env.globals.update(states=STATES, report_status=REPORT_STATUS, csrf_token=page_token)
    app.context_processor(lambda: {"hospital_name": platform().settings.hospital_name})


def yuan(amount_fen: int) -> str:
    """2500 → 25.00."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def local_time(moment: datetime) -> str:
    """2026-11-24 09:30."""
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d %H:%M")


def local_date(moment: datetime) -> str:
    """2026-11-24."""
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d")


def local_year(moment: datetime) -> int:
    """2026."""
    return moment.astimezone(HOSPITAL_ZONE).year
