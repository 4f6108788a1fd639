"""Messages in the words of an operator: what one is, what became of it, why, and what to do about it.

The engine gives its reasons in English, for logs and for the makers of the sending system; here they are put into Chinese
by their pattern. One that has none here is shown as it is, under the general advice of its state.
"""

import re
from typing import NamedTuple

from core.models import InboundMessage
from hl7_engine.field_names import field_name


class State(NamedTuple):
    """What a state is called, its colour (Tabler), and what it means."""

    label: str
    colour: str
    meaning: str


class Reason(NamedTuple):
    """Why, what to do, and the field that it is about (`OBR-22`; empty when it is about none)."""

    why: str
    advice: str
    place: str = ""


STATES = {
    "received": State("等待处理", "blue", "已存好并已应答，正在排队处理。"),
    "handled": State("已处理", "green", "内容已生效。"),
    "ignored": State("无需处理", "secondary", "这类消息不涉及云胶片业务，已存档。"),
    "parked": State("需要人工", "red", "已存好并已应答，但内容无法生效，需要人工处理。"),
    "corrected": State("已更正", "green", "由人工更正后的消息已经生效，原件存档备查。"),
    "refused": State("已拒收", "orange", "内容无法识别，已退回发送方并存档备查。"),
}
OUTGOING_STATES = {
    "queued": State("等待发送", "blue", "按顺序发送，对方应答后完成。"),
    "parked": State("已搁置", "red", "对方多次拒收，需要人工处理后重发。"),
    "sent": State("已送达", "green", "对方已确认收到。"),
}
CHANNELS = {
    "mllp": "MLLP",
    "soap": "WebService",
    "rest": "REST",
    "rabbitmq": "RabbitMQ",
    "redis": "Redis",
    "folder": "目录",
    "view": "视图",
    "file": "文件",
}
_TYPES = {
    "ADT": "患者信息",
    "ADT^A01": "入院登记",
    "ADT^A04": "门诊登记",
    "ADT^A08": "患者信息更新",
    "ADT^A11": "取消就诊",
    "ADT^A13": "取消出院",
    "ADT^A28": "新建患者",
    "ADT^A31": "患者信息更新",
    "ADT^A40": "患者合并",
    "OMG": "检查申请",
    "OMI": "检查申请",
    "ORM": "检查申请",
    "SIU": "检查预约",
    "DFT": "收费",
    "ORU": "检查报告",
    "MDM": "报告文档",
    "MFN": "字典更新",
    "ACK": "应答",
    "ORR": "申请应答",
    "ORG": "申请应答",
    "PatientInfoRegister": "患者登记",
    "PatientInfoUpdate": "患者信息更新",
    "PatientInfoMerge": "患者合并",
    "EncounterCardInfoAdd": "就诊卡登记",
    "EncounterCardInfoUpdate": "就诊卡更新",
    "OutPatientInfoAdd": "门诊登记",
    "OutPatientInfoUpdate": "门诊信息更新",
    "InPatientInfoAdd": "入院登记",
    "InPatientInfoUpdate": "住院信息更新",
    "CheckAppInfoAdd": "检查申请",
    "CheckAppInfoUpdate": "检查申请变更",
    "CheckAppointStatusInfoAdd": "检查预约",
    "CheckAppointStatusInfoUpdate": "预约变更",
    "CheckStatusInfoUpdate": "检查状态",
    "DocumentRegister": "报告文档",
}
_EFFECTS = {
    "RegisterPatient": "登记或更新患者",
    "MergePatients": "合并患者",
    "CancelVisit": "取消就诊",
    "PlaceOrder": "新增或变更检查申请",
    "CancelOrder": "取消检查申请",
    "ScheduleExam": "记录预约时间",
    "NoteProgress": "记录检查进度",
    "CompleteExam": "检查完成",
    "DeliverReport": "收到报告",
    "WithdrawReport": "撤回报告",
    "SettleFee": "记录收费",
    "RefundFee": "记录退费",
    "WaiveFee": "记录减免",
    "UpdateDictionary": "更新字典",
}
ACTIONS = {
    "read_message": "查看内容",
    "replay_message": "重放",
    "resend_message": "修改后重发",
}

_SENDER = "请发送方更正后再发；急用时可在本页“修改后重发”。"
_DIALECT = "这是该系统的写法：请实施人员在方言配置中补上，然后在本页“重放”。"
# The first pattern that is found in the engine's text decides; {0} is what its group holds, with the field's name.
_REASONS: tuple[tuple[str, str, str], ...] = (
    (
        r"does not begin with an MSH|no field separator",
        "没有 HL7 消息头（MSH 段），无法识别。",
        "请发送方检查：消息要以 MSH 开头。",
    ),
    (r"longer than this interface", "消息超过大小上限。", "请发送方减小附件后再发。"),
    (r"batch holds more messages", "一批里的消息太多。", "请发送方分成几批发送。"),
    (
        r"has no end",
        "消息没有结束符，后一条已经开始，内容可能不完整。",
        "请发送方检查 MLLP 结束符（1C 0D）。",
    ),
    (
        r"neither UTF-8 nor GB18030",
        "字符集无法识别：既不是 UTF-8 也不是 GB18030。",
        "请发送方统一用其中一种，并写入 MSH-18。",
    ),
    (r"NUL characters", "消息里有空字符（NUL）。", "请发送方去掉后再发。"),
    (r"has more than .* segments", "消息段太多。", "请发送方分成几条发送。"),
    (
        r"^([A-Z][A-Z0-9]{2}-\d+)[^:]*\bis missing|^([A-Z][A-Z0-9]{2}-\d+) has no",
        "缺少必填字段 {0}。",
        _SENDER,
    ),
    (
        r"^the message has no ([A-Z0-9]{3})",
        "缺少 {0} 段。",
        "请发送方补上该段后再发。",
    ),
    (r"^([\w./]+)(?:,[^:]*)? is missing", "缺少 {0}。", _SENDER),
    (
        r"nor order number: nothing to join|^neither .*accession number",
        "没有检查号也没有申请单号，不知道属于哪次检查。",
        _SENDER,
    ),
    (r"^neither SCH-11 nor AIS-4", "没有预约时间（SCH-11 或 AIS-4）。", _SENDER),
    (r"^ORC-1 is", "申请动作 ORC-1 的代码不认识。", _DIALECT),
    (r"^OBR-25 is", "报告状态 OBR-25 的代码不认识。", _DIALECT),
    (r"add (?:it|the peer's code) to \[codes", "代码没有对照：{1}", _DIALECT),
    (
        r"^([A-Z][A-Z0-9]{2}-\d+)\S* is .*: a time is|^([A-Z][A-Z0-9]{2}-\d+)\S* is .*no such time",
        "{0}的时间无法识别。",
        _SENDER,
    ),
    (r"^([A-Z][A-Z0-9]{2}-\d+)\S* is .*an amount is", "{0}的金额格式不对：单位元，最多两位小数。", _SENDER),
    (r"^([A-Z][A-Z0-9]{2}-\d+)\S*.* has more than \d+ characters", "{0}太长。", _SENDER),
    (r"not Base64|comes as Base64", "报告文件不是 Base64，或传输中被截断。", "请发送方重新发送完整的文件。"),
    (r"said to be a PDF and is none", "报告文件不是 PDF。", "请发送方重新发送 PDF。"),
    (
        r"is not read here|no service that is read here|is read$",
        "本系统不处理这一类消息。",
        "不需要时请发送方停发；需要时请联系实施人员。",
    ),
    (r"a refund comes by DFT", "退费不能写在检查申请里。", "请 HIS 用 DFT^P03 发送退费。"),
    (
        r"told before with other content",
        "同一笔缴费已经收到过，但内容不同。",
        "请与财务核对金额；以先收到的为准，未作改动。",
    ),
    (r"DTD or entities", "XML 里有 DTD 或实体定义，出于安全不接收。", "请发送方去掉 DOCTYPE。"),
    (r"^no XML", "XML 格式有误。", "请发送方检查标签和编码声明。"),
    (r"^no JSON|a JSON message is", "JSON 格式有误。", "请发送方检查 JSON。"),
    (
        r"a fault of this program",
        "程序处理时出错。",
        "请把消息编号告诉开发人员；修复后在本页“重放”。",
    ),
)
# Where the engine says first which field it means.
_PLACE = re.compile(r"[A-Z][A-Z0-9]{2}-\d+")
# hl7_engine/outgoing.py: what a peer answered.
_REFUSED = re.compile(r"(\S+) answered (\w\w) to \S+: (.*)")
_GENERAL = {
    "parked": "请按原因处理：资料已补齐的直接“重放”，内容有误的“修改后重发”。",
    "refused": "发送方已收到拒收应答；请联系发送方更正后再发。",
    "received": "上次处理未成功，会自动再试。",
}


def type_words(message_type: str) -> str:
    """`ADT^A04` → 门诊登记, `PlaceOrder` (JSON) and `CheckAppInfoAdd` (XML) likewise; empty for what has no word."""
    code = message_type.partition("^")[0]
    return _TYPES.get(message_type) or _TYPES.get(code) or _EFFECTS.get(message_type, "")


def effects(row: InboundMessage) -> list[str]:
    """What the message did, each thing once."""
    names = [name.strip() for name in row.outcome.split(",") if name.strip()]
    return list(dict.fromkeys(_EFFECTS.get(name, name) for name in names))


def reason(text: str, state: str) -> Reason | None:
    """Why, in Chinese; None when there is nothing to explain."""
    if not text:
        return None
    at = _PLACE.match(text)
    field = at[0] if at else ""
    for pattern, why, advice in _REASONS:
        found = re.search(pattern, text)
        if found:
            place = next(filter(None, found.groups()), "")
            return Reason(why.format(_named(place), text), advice, field)
    return Reason(text, _GENERAL.get(state, ""), field)


def refusal(text: str) -> str:
    """Why a peer has not taken our message."""
    found = _REFUSED.search(text)
    if found:
        why = found[3] if found[3] != "without a reason" else "未说明原因"
        return f"{found[1]} 拒收（{found[2]}）：{why}"
    if text.startswith("Unavailable:"):
        return f"暂时联系不上对方，会自动重试。{text.removeprefix('Unavailable:').strip()}"
    return text


def _named(place: str) -> str:
    segment, _, number = place.partition("-")
    name = field_name(segment, int(number)) if number.isdigit() else ""
    return f"{place}（{name}）" if name else place
