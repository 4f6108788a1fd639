"""Who issued a number: the OIDs of the national platform's messages (WS/T 500 and 447 with their drafts).

Both generations are met in the field: the tested draft of 2016 (2.16.156.10011.0…) and the published standard
(2.16.156.10011.2.5.1…), sometimes in one message. Sources: the sample messages listed in research/hl7.md §3.1.
"""

# 本地系统患者ID.
PATIENT = ("2.16.156.10011.2.5.1.4", "2.16.156.10011.0.2.2")
# 域ID: which of the hospital's systems gave the number; two of them may give the same one to different people.
DOMAIN = ("2.16.156.10011.2.5.1.5",)
# 身份证号.
IDENTITY_CARD = ("2.16.156.10011.1.3",)
# 就诊流水号; else 门(急)诊号 and 住院号.
VISIT = ("2.16.156.10011.2.5.1.9", "2.16.156.10011.1.10", "2.16.156.10011.1.11", "2.16.156.10011.1.12")
# 电子申请单编号, which joins everything about one exam.
APPLICATION = ("2.16.156.10011.1.24",)
# 医嘱ID, of one item of an application.
ORDER_ITEM = ("2.16.156.10011.1.28",)
# 检查方式代码表: how an exam is done, not with what.
EXAM_METHOD = "2.16.156.10011.2.3.2.47"
# 检查报告, in 卫生信息共享文档规范编码体系 (2.16.156.10011.2.4).
EXAM_REPORT = "C0006"

# The standard has no place for these. Agreed with whoever connects (docs/hl7-interface.md): an id with this word as root.
ACCESSION = ("accession_number",)
STUDY = ("study_instance_uid",)
