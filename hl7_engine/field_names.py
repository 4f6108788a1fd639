"""What fields are called: in Chinese for those of our interface, else the long name that HL7 v2.5.1 gives them.

Chinese names are the words that HIS makers use; ZFE and ZDS are told in docs/hl7-interface.md.
"""

from functools import cache

_NAMES = {
    "MSH": (
        "消息头",
        "1 字段分隔符|2 编码字符|3 发送系统|4 发送机构|5 接收系统|6 接收机构|7 发送时间|8 安全|9 消息类型|"
        "10 消息编号|11 处理标识|12 HL7 版本|13 顺序号|14 续接指针|15 接收应答方式|16 应用应答方式|17 国家|"
        "18 字符集|19 语言|20 字符集转换|21 消息规范",
    ),
    "EVN": ("事件", "1 事件类型|2 记录时间|3 计划时间|4 原因|5 操作员|6 发生时间|7 发生机构"),
    "PID": (
        "患者",
        "1 序号|2 患者编号（旧）|3 患者编号|4 其他编号|5 姓名|6 母亲姓名|7 出生日期|8 性别|9 别名|10 种族|"
        "11 地址|12 区县|13 联系电话|14 单位电话|15 语言|16 婚姻状况|17 宗教|18 账户号|19 身份证号|"
        "20 驾驶证号|21 母亲编号|22 民族|23 出生地|26 国籍|28 国籍（地区）|29 死亡时间|30 死亡标志|"
        "31 身份未明|33 更新时间|34 更新机构",
    ),
    "PV1": (
        "就诊",
        "1 序号|2 患者类别|3 病区床位|4 入院方式|5 预入院号|6 原床位|7 主治医师|8 转诊医师|9 会诊医师|"
        "10 科室|14 来源|16 重要患者|17 收治医师|18 患者类型|19 就诊号|20 费用类别|36 离院方式|37 去向|"
        "44 入院时间|45 出院时间|50 其他就诊号",
    ),
    "ORC": (
        "申请控制",
        "1 申请动作|2 申请单号|3 检查号|4 申请单组号|5 申请状态|6 应答标志|7 数量时间|8 上级申请|9 操作时间|"
        "10 录入人|11 核对人|12 申请医师|13 录入地点|14 回拨电话|15 生效时间|16 原因|17 申请科室|18 录入设备|"
        "19 操作人|20 代收标志|21 申请机构|25 状态说明|29 申请类型",
    ),
    "OBR": (
        "检查申请",
        "1 序号|2 申请单号|3 检查号|4 检查项目|5 优先级|6 申请时间|7 检查时间|8 检查结束时间|9 采集量|"
        "10 采集人|11 标本处理|12 危险说明|13 临床信息|14 收到时间|15 部位|16 申请医师|17 回拨电话|"
        "18 检查号（登记号）|19 申请方字段 2|20 执行方字段 1|21 执行方字段 2|22 报告时间|23 费用|24 检查类别|"
        "25 结果状态|26 上级结果|27 数量时间|28 抄送|29 上级|30 运送方式|31 检查原因|32 审核医师|33 报告医师|"
        "34 技师|35 录入员|36 预约时间|44 操作代码",
    ),
    "OBX": (
        "结果",
        "1 序号|2 值类型|3 项目|4 子编号|5 结果值|6 单位|7 参考范围|8 异常标志|9 概率|10 异常性质|"
        "11 结果状态|14 观察时间|15 出具机构|16 观察者|17 方法|18 设备|19 分析时间|23 执行机构",
    ),
    "FT1": (
        "费用",
        "1 序号|2 费用明细号|3 结算批次号|4 交易时间|5 记账时间|6 收退标志|7 收费项目|8 项目说明|"
        "9 项目说明（备用）|10 数量|11 金额|12 单价|13 科室|14 保险|15 保险金额|16 床位|17 收费标准|"
        "18 患者类型|19 诊断|20 执行人|21 开单人|22 成本|23 申请单号|24 录入人|25 操作代码|30 支付流水号|"
        "31 交易参照号",
    ),
    "ZFE": (
        "云胶片收费",
        "1 序号|2 费用明细号|3 申请单号|4 收费状态|5 代收标志|6 收费渠道|7 收费时间|8 应收金额|9 实收金额|"
        "10 结算单号|11 支付流水号|12 支付方式|13 票据号|14 操作员|15 原费用明细号",
    ),
    "ZDS": ("检查实例", "1 检查实例 UID"),
    "SCH": (
        "预约",
        "1 预约号（申请方）|2 预约号（执行方）|3 次序|4 预约组号|5 排班号|6 事件原因|7 预约原因|8 预约类型|"
        "9 时长|10 时长单位|11 预约时间|12 联系人|16 执行联系人|20 录入人|25 预约状态|26 申请单号|27 检查号",
    ),
    "AIS": (
        "预约项目",
        "1 序号|2 动作|3 检查项目|4 开始时间|5 时间偏移|6 偏移单位|7 时长|8 时长单位|10 状态",
    ),
    "ARQ": ("预约请求", "1 预约号|7 预约原因|8 预约类型|24 申请单号|25 检查号"),
    "TQ1": ("时间", "1 序号|2 数量|7 开始时间|8 结束时间|9 优先级"),
    "MRG": (
        "被合并患者",
        "1 原患者编号|2 原其他编号|3 原账户号|4 原编号（旧）|5 原就诊号|6 原其他就诊号|7 原姓名",
    ),
    "TXA": (
        "文档",
        "1 序号|2 文档类型|3 内容形式|4 活动时间|5 责任人|6 产生时间|7 录入时间|8 修改时间|9 作者|10 审核人|"
        "11 录入员|12 文档号|13 上级文档号|14 申请单号|15 检查号|16 文件名|17 完成状态|18 保密状态|"
        "19 可用状态|20 存储状态|21 修改原因|22 签名|23 抄送",
    ),
    "MFI": ("字典文件", "1 字典|2 字典应用|3 文件动作|4 录入时间|5 生效时间|6 应答级别"),
    "MFE": ("字典条目", "1 动作|2 条目编号|3 生效时间|4 主键|5 主键类型"),
    "OM1": ("检查项目字典", "1 顺序号|2 项目代码|8 项目名称"),
    "CDM": ("收费项目字典", "1 主键|2 代码别名|3 收费说明|7 收费项目|10 设备"),
    "STF": ("人员字典", "1 主键|2 工号|3 姓名|5 性别|7 在用标志|8 科室"),
    "LOC": ("科室字典", "1 主键|2 名称|3 类型|4 机构"),
    "MSA": ("应答", "1 应答代码|2 原消息编号|3 说明|4 预期序号|5 延迟应答|6 错误"),
    "ERR": (
        "错误",
        "1 错误位置（旧）|2 错误位置|3 错误代码|4 严重程度|5 应用错误代码|6 参数|7 诊断信息|8 错误说明|"
        "12 联系方式",
    ),
    "NTE": ("备注", "1 序号|2 来源|3 备注|4 类型"),
    "AL1": ("过敏", "1 序号|2 过敏类型|3 过敏原|4 程度|5 反应|6 日期"),
    "DG1": ("诊断", "1 序号|2 编码方法|3 诊断代码|4 诊断|5 时间|6 类型"),
    "NK1": ("联系人", "1 序号|2 姓名|3 关系|4 地址|5 电话|6 单位电话"),
    "IN1": ("医保", "1 序号|2 险种|3 保险机构编号|4 保险机构|16 参保人|36 医保卡号"),
    "PD1": ("患者补充信息", "3 主要就诊机构|4 主治医师"),
    "IPC": (
        "影像检查",
        "1 检查号|2 请求操作号|3 检查实例 UID|4 步骤号|5 设备类型|6 协议|7 机房|8 位置|9 AE 名称",
    ),
}

# Facts of a profile (hl7_engine/profiles) in the words of the pages.
FACTS = {
    "id_number": "身份证号",
    "patient_number": "患者编号",
    "name": "姓名",
    "sex": "性别",
    "birth_date": "出生日期",
    "phone": "手机号",
    "retired_number": "被合并的编号",
    "patient_class": "患者类别",
    "visit_number": "就诊号",
    "order_control": "申请动作",
    "order_status": "申请状态",
    "order_number": "申请单号",
    "accession_number": "检查号",
    "item_code": "项目代码",
    "item_name": "项目名称",
    "modality": "设备类型",
    "department": "申请科室",
    "happened_at": "发生时间",
    "collect_on_behalf": "代收标志",
    "fee_line_id": "费用明细号",
    "fee_item_code": "收费项目",
    "fee_type": "收退标志",
    "fee_amount": "金额",
    "fee_unit_amount": "单价",
    "fee_quantity": "数量",
    "fee_order_number": "费用的申请单号",
    "fee_state": "收费状态",
    "fee_channel": "收费渠道",
    "fee_paid_amount": "实收金额",
    "fee_happened_at": "收费时间",
    "fee_external_number": "支付流水号",
    "fee_original_line": "原费用明细号",
    "appointment_order_number": "预约的申请单号",
    "appointment_accession_number": "预约的检查号",
    "appointment_at": "预约时间",
    "report_status": "报告状态",
    "report_approved_at": "审核时间",
    "report_approver": "审核医师",
    "report_author": "报告医师",
    "result_code": "结果项目",
    "result_status": "结果状态",
    "document_status": "文档状态",
    "document_approved_at": "文档审核时间",
    "document_approver": "文档审核人",
    "document_author": "文档作者",
    "document_order_number": "文档的申请单号",
    "document_accession_number": "文档的检查号",
}


def segment_title(name: str) -> str:
    """`PID` → 患者; empty when we have no word for it."""
    return _NAMES[name][0] if name in _NAMES else ""


@cache
def field_name(segment: str, field: int) -> str:
    """`PID`, 5 → 姓名; the standard's own name for others (`Mother's Maiden Name`); empty for what it does not know."""
    return _chinese(segment).get(field) or _standard_name(segment, field)


@cache
def _chinese(segment: str) -> dict[int, str]:
    listed = _NAMES[segment][1].split("|") if segment in _NAMES else []
    return {int(number): name for number, _, name in (entry.partition(" ") for entry in listed)}


def _standard_name(segment: str, field: int) -> str:
    # Loaded when the first such name is asked for: the tables are large, and most messages need none of them.
    from hl7apy.v2_5_1.fields import FIELDS

    entry = FIELDS.get(f"{segment}_{field}")
    return str(entry[-3]).replace("_S_", "'S_").replace("_", " ").title().replace("'S", "'s") if entry else ""
