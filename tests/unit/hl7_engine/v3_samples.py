"""Messages of the national platform about one made-up exam, in both ways of writing that are met in the field.

`by_items` is the published standard (numbers in <item>, names in <part>), `plain` the older draft (attributes, text).
"""

from base64 import b64encode

NAME = "张珅東"
ID_NUMBER = "330683198506151230"
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 8


def message(root: str, body: str, *, interaction: str = "", ns: str = ' xmlns="urn:hl7-org:v3"') -> bytes:
    """A whole message around what its controlActProcess holds."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<!-- 消息 -->
<{root} ITSVersion="XML_1.0"{ns} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <id root="2.16.156.10011.2.5.1.1" extension="MSG-0001"/>
  <creationTime value="20261124101530"/>
  <interactionId root="2.16.156.10011.2.5.1.2" extension="{interaction or root}"/>
  <processingCode code="P"/><processingModeCode/><acceptAckCode code="AL"/>
  <receiver typeCode="RCV"><device><id><item root="2.16.156.10011.2.5.1.3" extension="CLOUDFILM"/></id></device></receiver>
  <sender typeCode="SND"><device><id><item root="2.16.156.10011.2.5.1.3" extension="HIS01"/></id></device></sender>
  <controlActProcess classCode="CACT" moodCode="EVN">{body}</controlActProcess>
</{root}>""".encode()


def patient_by_items(number: str = "0001234567", domain: str = "") -> str:
    """The published standard."""
    return f"""<patient classCode="PAT">
  <id><item root="2.16.156.10011.2.5.1.5" extension="{domain}"/>
      <item root="2.16.156.10011.2.5.1.4" extension="{number}"/>
      <item root="2.16.156.10011.1.10" extension="MZ20261124000123"/>
      <item root="2.16.156.10011.1.12" extension="-"/></id>
  <patientPerson classCode="PSN">
    <id><item root="2.16.156.10011.1.3" extension="{ID_NUMBER}"/>
        <item root="2.16.156.10011.1.15" extension="A12345678901"/></id>
    <name xsi:type="DSET_EN"><item><part value="{NAME}"/></item></name>
    <telecom xsi:type="BAG_TEL"><item value="0575-83338329"/><item value="+86 138 0013 8000"/></telecom>
    <administrativeGenderCode code="1" codeSystem="2.16.156.10011.2.3.3.4"/>
    <birthTime value="19850615"><originalText value="41"/></birthTime>
  </patientPerson></patient>"""


def patient_plain(number: str = "0001234567") -> str:
    """The draft of the platform's test; the contact's telephone is not the patient's."""
    return f"""<patient classCode="PAT">
  <id root="2.16.156.10011.0.2.2" extension="{number}"/>
  <patientPerson>
    <id root="2.16.156.10011.1.3" extension="{ID_NUMBER}"/>
    <name use="L">{NAME}</name>
    <telecom value="tel:13800138000" use="MC"/>
    <administrativeGenderCode code="9" displayName="男性"/>
    <birthTime value="1985-06-15"/>
    <personalRelationship><telecom value="13900139000"/>
      <relationshipHolder1><name>刘好</name></relationshipHolder1></personalRelationship>
  </patientPerson></patient>"""


def registration(patient: str, root: str = "PRPA_IN201311UV02") -> bytes:
    """患者注册."""
    act = f"<registrationRequest><statusCode code='active'/><subject1>{patient}</subject1></registrationRequest>"
    return message(root, f"<subject>{act}</subject>")


def merge(survivor: str = "0001234567", retired: str = "0009999999", domain: str = "") -> bytes:
    """患者合并."""
    prior = f'<id><item root="2.16.156.10011.2.5.1.4" extension="{retired}"/></id>' if retired else "<id/>"
    return message(
        "PRPA_IN201304UV02",
        f"""<subject><registrationEvent><subject1>{patient_by_items(survivor, domain)}</subject1>
        <replacementOf><priorRegistration><subject1><priorRegisteredRole>{prior}</priorRegisteredRole>
        </subject1></priorRegistration></replacementOf></registrationEvent></subject>""",
    )


EXAM_ITEM = """<component2><observationRequest>
  <id><item root="2.16.156.10011.1.28" extension="YZ001"/></id>
  <code code="210300001"><displayName value="胸部CT平扫"/></code><statusCode/>
  <methodCode><item code="1" codeSystem="2.16.156.10011.2.3.2.47"><displayName value="平扫"/></item>
    <item code="CT"><displayName value="CT"/></item></methodCode>
  <targetSiteCode><item code="XB"><displayName value="胸部"/></item></targetSiteCode>
</observationRequest></component2>"""
FILM_ITEM = """<component2><observationRequest>
  <id><item root="2.16.156.10011.1.28" extension="YZ002"/></id>
  <bill><id value="FY0002"/><code value="1"/><price value="20.00"/></bill>
  <code code="YYX0001"><displayName value="数字影像服务费"/></code><statusCode/>
</observationRequest></component2>"""


def application(
    root: str = "POOR_IN200901UV",
    *,
    items: str = EXAM_ITEM + FILM_ITEM,
    number: str = '<item root="2.16.156.10011.1.24" extension="SQ1"/>',
    status: str = "<statusCode/>",
    event: str = "POOR_TE200901UV",
    interaction: str = "",
) -> bytes:
    """检查申请."""
    return message(
        root,
        f"""<code code="{event}"/><subject typeCode="SUBJ"><observationRequest classCode="OBS" moodCode="RQO">
        <id>{number}</id><code/><text value=""/>{status}
        <effectiveTime xsi:type="IVL_TS"><low value="20261124"/><high value="20261201"/></effectiveTime>
        <author><time value="20261124101500"/><assignedEntity><id/><assignedPerson><name><item>
          <part value="李医生"/></item></name></assignedPerson><representedOrganization>
          <id><item root="2.16.156.10011.1.26" extension="0301"/></id>
          <name><item><part value="心内科门诊"/></item></name></representedOrganization></assignedEntity></author>
        {items}
        <componentOf1><encounter><id><item root="2.16.156.10011.2.5.1.8" extension="1"/>
          <item root="2.16.156.10011.2.5.1.9" extension="LS20261124001"/></id>
          <code code="03" codeSystem="2.16.156.10011.2.3.1.271"><displayName value="体检"/></code>
          <subject>{patient_by_items()}</subject></encounter></componentOf1>
        </observationRequest></subject>""",
        interaction=interaction,
    )


def appointment(
    root: str = "PRSC_IN010101UV01", *, status: str = "", time: str = '<low value="20261125143000"/>'
) -> bytes:
    """检查预约."""
    return message(
        root,
        f"""<subject><actAppointment><id extension="YY1"/>{status}
        <effectiveTime><originalText value="pm"/>{time}<width unit="分" value="20"/></effectiveTime>
        <subject>{patient_by_items()}</subject>
        <referencedOrder><actOrder><id root="2.16.156.10011.1.24" extension="SQ1"/></actOrder></referencedOrder>
        </actAppointment></subject>""",
    )


def state(*codes: str, ids: str = "") -> bytes:
    """检查状态, one exam for each `processStep/code`."""
    parts = "".join(
        f"""<component2><observationRequest><id><item root="2.16.156.10011.1.24" extension="SQ{place}"/>{ids}</id>
        <performer><time><low value="20261125150000"/></time></performer>
        <component1><processStep>{code}</processStep></component1></observationRequest></component2>"""
        for place, code in enumerate(codes, 1)
    )
    encounter = f"<componentOf1><encounter><subject>{patient_by_items()}</subject></encounter></componentOf1>"
    return message("POOR_IN200902UV", f"<subject><placerGroup>{parts}{encounter}</placerGroup></subject>")


FINDINGS = """<observation><code code="DE04.50.131.00" displayName="检查报告结果-客观所见"/>
<value xsi:type="ST">右肺上叶见结节，约6mm×5mm。
余未见异常。</value></observation>"""
IMPRESSION = """<observation><code code="DE04.50.132.00" displayName="检查报告结果-主观提示"/>
<value xsi:type="ST">右肺结节，建议复查 (&lt;6月 &amp; CT)。</value></observation>"""


def document(
    *,
    results: str = FINDINGS + IMPRESSION,
    code: str = "C0006",
    approved: str = '<time value="20261125170000"/>',
    more: str = "",
    body: str = "",
    number: str = '<id root="2.16.156.10011.1.24" extension="SQ1"/>',
) -> str:
    """检查报告 as a CDA document."""
    entries = f"<component><structuredBody><component><section>{results}</section></component></structuredBody></component>"
    return f"""<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="CN"/><id root="2.16.156.10011.1.1" extension="RN1"/>
  <code code="{code}" codeSystem="2.16.156.10011.2.4"/><title>检查报告</title>
  <effectiveTime value="20261125170500"/><languageCode code="zh-CN"/><setId/><versionNumber/>
  <recordTarget><patientRole><id root="2.16.156.10011.1.11" extension="MZ1"/>
    <id root="2.16.156.10011.1.32" extension="BG1"/>{number}<telecom value="13800138000"/>
    <patient><id root="2.16.156.10011.1.3" extension="{ID_NUMBER}"/><name>{NAME}</name>
      <administrativeGenderCode code="1"/><birthTime value="19850615"/></patient></patientRole></recordTarget>
  <author><time value="20261125163000"/><assignedAuthor><id extension="1"/>
    <assignedPerson><name>赵医师</name></assignedPerson></assignedAuthor></author>
  <legalAuthenticator>{approved}<assignedEntity><code displayName="审核医师"/>
    <assignedPerson><name>王主任</name></assignedPerson></assignedEntity></legalAuthenticator>
  <authenticator><time value="20261125120000"/><assignedEntity><assignedPerson><name>技师甲</name>
    </assignedPerson></assignedEntity></authenticator>
  <relatedDocument typeCode="RPLC"><parentDocument><id/></parentDocument></relatedDocument>{more}
  {body or entries}
</ClinicalDocument>"""


def registered(content: str) -> bytes:
    """DocumentRegister around it."""
    return f"""<ProvideAndRegisterDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"><SubmitObjectsRequest>
    <id>R1</id></SubmitObjectsRequest><Document id="d1">{content}</Document>
    </ProvideAndRegisterDocumentSetRequest>""".encode()


def base64(text: str, charset: str = "utf-8") -> str:
    """As most senders pack a document."""
    return b64encode(text.encode(charset)).decode()
