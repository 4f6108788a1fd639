"""The SMS gateway simulator against Aliyun's own client library over real sockets."""

import base64
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from simulators.aliyun_rpc import string_to_sign
from simulators.sms_gateway import SmsGateway, SmsTemplate

KEYS = {"LTAI-test": "secret-of-test"}
PHONE = "13800000001"
TEMPLATES = {
    "SMS_OTP": SmsTemplate("验证码${code}，${minutes}分钟内有效。", is_code=True),
    "SMS_FILM": SmsTemplate("${item}的云胶片已可查看：http://127.0.0.1:8100/s/${token}"),
}

pytestmark = pytest.mark.requirement("E4", "E6")


class Hands:
    """A clock that a test moves."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def gateway(tmp_path: Path, hands: Hands) -> Iterator[SmsGateway]:
    with SmsGateway(tmp_path, KEYS, sign_names=["云胶片"], templates=TEMPLATES, clock=hands) as simulator:
        yield simulator


def send(gateway: SmsGateway, secret: str = "secret-of-test", key_id: str = "LTAI-test", **other: str) -> Any:
    values = {
        "PhoneNumbers": PHONE,
        "SignName": "云胶片",
        "TemplateCode": "SMS_OTP",
        "TemplateParam": json.dumps({"code": "052718", "minutes": "5"}),
        "OutId": "challenge-1",
    } | other
    request = CommonRequest()
    request.set_domain(gateway.url.removeprefix("http://"))
    request.set_protocol_type("http")
    request.set_method("POST")
    request.set_version("2017-05-25")
    request.set_action_name("SendSms")
    for name, value in values.items():
        request.add_query_param(name, value)
    client = AcsClient(key_id, secret, "cn-hangzhou", auto_retry=False, timeout=5, connect_timeout=3)
    return json.loads(client.do_action_with_exception(request))


def test_message_arrives_on_the_phone(gateway: SmsGateway) -> None:
    answer = send(gateway)
    assert (answer["Code"], answer["Message"]) == ("OK", "OK")
    inbox = json.loads(get(f"{gateway.url}/inbox.json?phone={PHONE}").body)["messages"]
    assert [(m["text"], m["params"]["code"], m["biz_id"], m["out_id"]) for m in inbox] == [
        ("【云胶片】验证码052718，5分钟内有效。", "052718", answer["BizId"], "challenge-1")
    ]
    assert json.loads(get(f"{gateway.url}/inbox.json?phone=13900000002").body)["messages"] == []


def test_pages_show_the_code_and_a_link_and_escape_the_rest(gateway: SmsGateway) -> None:
    send(gateway)
    film = json.dumps({"item": "<CT>头颅", "token": "abcDEF"})
    send(gateway, TemplateCode="SMS_FILM", TemplateParam=film)
    assert PHONE in get(gateway.url + "/inbox").body
    thread = get(f"{gateway.url}/inbox?phone={PHONE}").body
    assert "<b>052718</b>" in thread
    assert '<a href="http://127.0.0.1:8100/s/abcDEF">' in thread
    assert "&lt;CT&gt;头颅" in thread
    assert "还没有收到短信" in get(gateway.url + "/inbox?phone=13900000002").body


def test_one_code_a_minute_to_the_same_phone(gateway: SmsGateway, hands: Hands) -> None:
    assert send(gateway)["Code"] == "OK"
    second = send(gateway)
    assert (second["Code"], second["Message"]) == ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1")
    assert send(gateway, PhoneNumbers="13900000002")["Code"] == "OK"
    film = json.dumps({"item": "CT", "token": "x"})
    assert send(gateway, TemplateCode="SMS_FILM", TemplateParam=film)["Code"] == "OK"
    hands.ahead = 61
    assert send(gateway)["Code"] == "OK"
    assert len(gateway.messages(PHONE)) == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PhoneNumbers": "12345"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"SignName": "别家"}, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"TemplateCode": "SMS_0"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": "code=1"}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"code": "1"}'}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": '{"code": "1", "minutes": "http://x"}'}, "isv.PARAM_NOT_SUPPORT_URL"),
        ({"TemplateParam": json.dumps({"code": "1", "minutes": "长" * 36})}, "isv.PARAM_LENGTH_LIMIT"),
    ],
)
def test_business_refusals_come_with_http_200(gateway: SmsGateway, change: dict[str, str], code: str) -> None:
    assert send(gateway, **change)["Code"] == code
    assert gateway.messages() == []


def test_wrong_secret_and_unknown_key(gateway: SmsGateway) -> None:
    with pytest.raises(ServerException) as wrong:
        send(gateway, secret="wrong")
    assert (wrong.value.http_status, wrong.value.error_code) == (400, "SignatureDoesNotMatch")
    with pytest.raises(ServerException) as unknown:
        send(gateway, key_id="nobody")
    assert (unknown.value.http_status, unknown.value.error_code) == (404, "InvalidAccessKeyId.NotFound")


def signed(**change: str) -> dict[str, str]:
    """A request written by hand, so that one thing can be wrong."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    values = {
        "AccessKeyId": "LTAI-test",
        "Action": "SendSms",
        "Format": "JSON",
        "PhoneNumbers": PHONE,
        "SignName": "云胶片",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "nonce-1",
        "SignatureVersion": "1.0",
        "TemplateCode": "SMS_FILM",
        "TemplateParam": '{"item": "CT *~ +", "token": "x"}',
        "Timestamp": stamp,
        "Version": "2017-05-25",
    } | change
    text = string_to_sign("POST", values).encode()
    digest = hmac.digest(b"secret-of-test&", text, "sha1")
    return values | {"Signature": base64.b64encode(digest).decode()}


def test_changed_replayed_and_stale_requests_are_refused(gateway: SmsGateway) -> None:
    changed = post(gateway.url, signed() | {"PhoneNumbers": "13900000002"})
    assert (changed.status, json.loads(changed.body)["Code"]) == (400, "SignatureDoesNotMatch")
    assert "server string to sign is:POST&%2F&AccessKeyId%3DLTAI-test%26" in changed.body
    assert post(gateway.url, signed()).status == 200
    assert json.loads(post(gateway.url, signed()).body)["Code"] == "SignatureNonceUsed"
    stale = signed(SignatureNonce="nonce-2", Timestamp="2019-06-01T00:00:00Z")
    assert json.loads(post(gateway.url, stale).body)["Code"] == "InvalidTimeStamp.Expired"
    other = signed(SignatureNonce="nonce-3", Action="QuerySendDetails")
    assert json.loads(post(gateway.url, other).body)["Code"] == "InvalidAction.NotFound"
    assert json.loads(post(gateway.url, {"Action": "SendSms"}).body)["Code"] == "MissingAccessKeyId"


def test_down_for_seconds(gateway: SmsGateway, hands: Hands) -> None:
    post(gateway.url + "/_sim/down?seconds=30", {})
    with pytest.raises(ServerException) as refused:
        send(gateway)
    assert (refused.value.http_status, refused.value.error_code) == (503, "ServiceUnavailable")
    hands.ahead = 31
    assert send(gateway)["Code"] == "OK"


def test_restart_keeps_messages_limits_and_nonces(tmp_path: Path) -> None:
    options: dict[str, Any] = {"sign_names": ["云胶片"], "templates": TEMPLATES}
    with SmsGateway(tmp_path, KEYS, **options) as first:
        send(first)
        used = signed()
        assert post(first.url, used).status == 200
    with (tmp_path / "messages.jsonl").open("ab") as journal:
        journal.write(b'{"phone": "torn by the po')
    with SmsGateway(tmp_path, KEYS, **options) as second:
        assert [m["template"] for m in second.messages(PHONE)] == ["SMS_OTP", "SMS_FILM"]
        assert send(second)["Code"] == "isv.BUSINESS_LIMIT_CONTROL"
        assert json.loads(post(second.url, used).body)["Code"] == "SignatureNonceUsed"


def get(url: str) -> SimpleNamespace:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return SimpleNamespace(status=answer.status, body=answer.read().decode())


def post(url: str, form: dict[str, str]) -> SimpleNamespace:
    try:
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=10) as answer:
            return SimpleNamespace(status=answer.status, body=answer.read().decode())
    except urllib.error.HTTPError as error:
        return SimpleNamespace(status=error.code, body=error.read().decode())
