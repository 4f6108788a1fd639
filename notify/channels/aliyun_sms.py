"""Aliyun SMS (Dysmsapi 2017-05-25 SendSms) by aliyun-python-sdk-core (E4, E6)."""

import json
from collections.abc import Mapping

from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from notify.channel import ChannelRefused, ChannelUnavailable

REAL_ENDPOINT = "dysmsapi.aliyuncs.com"
CONNECT_SECONDS, READ_SECONDS = 5, 10
# Codes after which the same message may pass later (flow control, their side busy); every other one is final.
# Source: Aliyun's error table of SendSms.
PASSING = frozenset(
    {
        "isp.SYSTEM_ERROR",
        "isp.RAM_PERMISSION_DENY",
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.BUSINESS_LIMIT_CONTROL",
        "Throttling",
        "Throttling.User",
        "ServiceUnavailable",
        "InternalError",
    }
)


class AliyunSmsChannel:
    """One account with one sign name. `endpoint`: host[:port], the real one when empty; http if it says so."""

    name = "sms"

    def __init__(self, *, endpoint: str, key_id: str, key_secret: str, sign_name: str) -> None:
        self._client = AcsClient(
            key_id,
            key_secret,
            "cn-hangzhou",
            auto_retry=False,
            connect_timeout=CONNECT_SECONDS,
            timeout=READ_SECONDS,
        )
        scheme, _, host = (endpoint.rstrip("/") or REAL_ENDPOINT).rpartition("://")
        self._host, self._scheme, self._sign_name = host, scheme or "https", sign_name

    def send(self, address: str, template: str, params: Mapping[str, str], reference: str) -> str:
        """Send one SMS; returns the BizId."""
        request = CommonRequest()
        request.set_accept_format("json")
        request.set_domain(self._host)
        request.set_method("POST")
        request.set_protocol_type(self._scheme)
        request.set_version("2017-05-25")
        request.set_action_name("SendSms")
        request.add_query_param("PhoneNumbers", address)
        request.add_query_param("SignName", self._sign_name)
        request.add_query_param("TemplateCode", template)
        request.add_query_param("TemplateParam", json.dumps(dict(params), ensure_ascii=False))
        request.add_query_param("OutId", reference)
        try:
            answer = json.loads(self._client.do_action_with_exception(request))
        except ServerException as error:
            code = str(error.get_error_code())
            raise _error(code, "server", is_passing=int(error.get_http_status() or 500) >= 500) from error
        except (ClientException, OSError, ValueError) as error:
            raise ChannelUnavailable(f"Aliyun SMS does not answer ({type(error).__name__})") from error
        code = str(answer.get("Code"))
        if code != "OK":
            raise _error(code, str(answer.get("RequestId", "")), is_passing=False)
        return str(answer["BizId"])


def _error(code: str, where: str, *, is_passing: bool) -> ChannelRefused | ChannelUnavailable:
    if code in PASSING or is_passing:
        return ChannelUnavailable(f"Aliyun SMS: {code} ({where}); tried again later")
    return ChannelRefused(f"Aliyun SMS refuses: {code} ({where}); see Aliyun's table of SendSms errors")
