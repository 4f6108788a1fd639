"""Alarms in the words of an operator: what kind of trouble, and what to do."""

import re
from typing import NamedTuple

from core.models import Alarm


class AlarmWords(NamedTuple):
    """What a kind is called, its colour (Tabler), and what to do."""

    title: str
    colour: str
    advice: str


KINDS = {
    "peer_silent": AlarmWords(
        "对方没有消息", "orange", "请检查对方系统和网络；确属停机或夜间无业务时可不处理。"
    ),
    "message_backlog": AlarmWords(
        "收到的消息积压", "red", "请检查处理进程（relay）是否在运行；恢复后会自动按顺序处理。"
    ),
    "outgoing_parked": AlarmWords("外发消息搁置", "red", "请到“外发消息”查看原因，对方修复后重发。"),
    "outgoing_late": AlarmWords("外发消息未送达", "orange", "请检查对方接口是否可达；恢复后会自动继续发送。"),
    "control_id_reused": AlarmWords(
        "消息编号重复", "yellow", "对方用同一编号发了两条不同的消息，两条都已处理；请对方检查编号生成。"
    ),
    "connector_away": AlarmWords(
        "连接器不可用", "red", "请检查消息中间件、目录或视图；恢复后会自动继续读取。"
    ),
    "view_without_watermark": AlarmWords(
        "视图缺少水位列", "yellow", "请在站点配置中为该视图指定递增的列，否则每次都要全部重读。"
    ),
}
# hl7_engine/drain.py.
_REUSED = re.compile(r"gave the control id (\S+) to two different messages")
_OTHER = AlarmWords("异常", "red", "请联系实施人员。")


def words_of(kind: str) -> AlarmWords:
    """The words of a kind of alarm."""
    return KINDS.get(kind, _OTHER)


def text_of(alarm: Alarm) -> str:
    """What it says, in Chinese where the engine says it in English for its log."""
    found = _REUSED.search(alarm.text)
    return f"{alarm.subject} 的编号 {found[1]} 用在两条不同的消息上" if found else alarm.text
