"""Aliyun SMS on loopback (E4, E6): `SendSms` of Dysmsapi 2017-05-25, as strict, and a phone to read it on.

`GET /inbox` shows the messages as a phone does; `GET /inbox.json?phone=` gives them to tools.
Source of codes and limits: Aliyun SMS documentation, "API error codes" and "Limits on sending".
"""

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from markupsafe import Markup, escape

from simulators.aliyun_rpc import RpcDoor, RpcError
from simulators.loopback import LoopbackServer
from simulators.outage import OutageSwitch
from simulators.statefiles import Journal

# (seconds, messages): no more than so many to one phone under one signature within the seconds before.
Limits = Sequence[tuple[int, int]]
CODE_LIMITS: Limits = ((60, 1), (3600, 5), (86_400, 10))
NOTICE_LIMITS: Limits = ((86_400, 50),)

_PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LONGEST_VALUE = 35
_SPANS = {60: "分钟", 3600: "小时", 86_400: "天"}
_CHINA = timezone(timedelta(hours=8))
_MARKED = re.compile(r"(https?://[^\s，。；、）】]+)|(?<!\d)(\d{6})(?!\d)")


@dataclass(frozen=True)
class SmsTemplate:
    """An approved template: its text with `${variables}`; one for codes (`is_code`) has stricter limits."""

    text: str
    is_code: bool = False

    @property
    def variables(self) -> list[str]:
        """The names that the sender must give values for."""
        return _VARIABLE.findall(self.text)

    def fill(self, values: Mapping[str, str]) -> str:
        """The text as it arrives."""
        return _VARIABLE.sub(lambda found: values[found[1]], self.text)


class _NotSentError(Exception):
    """A business refusal, which the service answers with HTTP 200 and this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SmsGateway(LoopbackServer):
    """For tests: `with SmsGateway(state_dir, {"id": "secret"}, sign_names=…, templates=…) as sms`."""

    def __init__(
        self,
        state_dir: Path,
        secrets_by_id: Mapping[str, str],
        *,
        sign_names: Sequence[str],
        templates: Mapping[str, SmsTemplate],
        code_limits: Limits = CODE_LIMITS,
        notice_limits: Limits = NOTICE_LIMITS,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sign_names = frozenset(sign_names)
        self._templates = dict(templates)
        self._limits = {True: code_limits, False: notice_limits}
        self._clock = clock
        self._lock = threading.Lock()
        self._journal = Journal(state_dir / "messages.jsonl")
        self._door = RpcDoor(secrets_by_id, clock)
        self._door.remember(message["nonce"] for message in self._journal.entries())
        self.outage = OutageSwitch(clock)
        super().__init__(self._create_app(), host, port)

    def messages(self, phone: str | None = None) -> list[dict[str, Any]]:
        """What was sent (to `phone`), oldest first: phone, template, params, text, out_id, biz_id, at …"""
        hidden = {"nonce", "at_seconds", "is_code"}
        return [
            {name: value for name, value in message.items() if name not in hidden}
            for message in self._journal.entries()
            if phone is None or message["phone"] == phone
        ]

    def _create_app(self) -> Flask:
        app = Flask(
            "simulators.sms_gateway", static_folder=None, template_folder=Path(__file__).parent / "pages"
        )
        app.add_template_filter(_marked, "marked")
        app.add_template_filter(_clock_time, "clock_time")
        unavailable = (
            "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server.",
        )
        self.outage.guard(app, lambda: _answer(503, *unavailable))

        @app.route("/", methods=["GET", "POST"])
        def call() -> Response:
            parameters = request.args.to_dict() | request.form.to_dict()
            try:
                self._door.check(request.method, parameters)
                if (parameters["Action"], parameters["Version"]) != ("SendSms", "2017-05-25"):
                    raise RpcError(404, "InvalidAction.NotFound", "Specified api is not found.")
                return _answer(200, "OK", "OK", BizId=self._send(parameters))
            except RpcError as error:
                return _answer(error.status, error.code, error.message)
            except _NotSentError as refusal:
                return _answer(200, refusal.code, refusal.message)

        @app.get("/inbox")
        def inbox() -> str:
            phone = request.args.get("phone")
            if phone is not None:
                return render_template("sms_thread.html", phone=phone, messages=self.messages(phone)[::-1])
            latest = {message["phone"]: message for message in self.messages()}
            newest_first = sorted(latest.values(), key=lambda message: message["at"], reverse=True)
            return render_template("sms_phones.html", messages=newest_first)

        @app.get("/inbox.json")
        def inbox_json() -> Response:
            return jsonify(messages=self.messages(request.args.get("phone")))

        return app

    def _send(self, parameters: Mapping[str, str]) -> str:
        phones = [_phone(text) for text in parameters.get("PhoneNumbers", "").split(",")]
        sign_name, code = parameters.get("SignName", ""), parameters.get("TemplateCode", "")
        if sign_name not in self._sign_names:
            raise _NotSentError("isv.SMS_SIGNATURE_ILLEGAL", "账号下找不到对应的签名")
        template = self._templates.get(code)
        if template is None:
            raise _NotSentError("isv.SMS_TEMPLATE_ILLEGAL", "账号下找不到对应编码的模板")
        values = _values(template, parameters.get("TemplateParam") or "{}")
        biz_id = f"{secrets.randbelow(10**15):015d}^0"
        with self._lock:
            now = self._clock()
            for phone in phones:
                self._check_limits(phone, sign_name, template.is_code, now)
            for phone in phones:
                self._journal.append(
                    {
                        "phone": phone,
                        "sign_name": sign_name,
                        "template": code,
                        "params": values,
                        "text": f"【{sign_name}】{template.fill(values)}",
                        "out_id": parameters.get("OutId", ""),
                        "biz_id": biz_id,
                        "at": datetime.fromtimestamp(now, UTC).isoformat(),
                        "at_seconds": now,
                        "is_code": template.is_code,
                        "nonce": parameters["SignatureNonce"],
                    }
                )
        return biz_id

    def _check_limits(self, phone: str, sign_name: str, is_code: bool, now: float) -> None:
        earlier = [
            now - message["at_seconds"]
            for message in self._journal.entries()
            if (message["phone"], message["sign_name"], message["is_code"]) == (phone, sign_name, is_code)
        ]
        for seconds, most in self._limits[is_code]:
            if sum(age < seconds for age in earlier) >= most:
                span = _SPANS.get(seconds, f"{seconds}秒")
                raise _NotSentError("isv.BUSINESS_LIMIT_CONTROL", f"触发{span}级流控Permits:{most}")


def serve(
    host: str,
    port: int,
    *,
    state_dir: Path,
    secrets_by_id: Mapping[str, str],
    sign_names: Sequence[str],
    templates: Mapping[str, SmsTemplate],
    code_limits: Limits = CODE_LIMITS,
) -> None:
    """Run until the process ends. `templates`: the approved ones by their code; `code_limits` per phone."""
    SmsGateway(
        state_dir,
        secrets_by_id,
        sign_names=sign_names,
        templates=templates,
        code_limits=code_limits,
        host=host,
        port=port,
    ).serve_forever()


def _phone(text: str) -> str:
    found = _PHONE.fullmatch(text)
    if found is None:
        raise _NotSentError("isv.MOBILE_NUMBER_ILLEGAL", "无效号码")
    return found[1]


def _values(template: SmsTemplate, text: str) -> dict[str, str]:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _NotSentError("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值")
    values = {name: str(value) for name, value in given.items()}
    if set(template.variables) - values.keys():
        raise _NotSentError("isv.TEMPLATE_MISSING_PARAMETERS", "模板变量中存在未赋值变量")
    for value in values.values():
        if len(value) > _LONGEST_VALUE:
            raise _NotSentError("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制")
        if "://" in value:
            raise _NotSentError("isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入URL")
    return values


def _answer(status: int, code: str, message: str, **more: str) -> Response:
    body = {"Code": code, "Message": message, "RequestId": secrets.token_hex(16).upper(), **more}
    return Response(
        json.dumps(body, ensure_ascii=False), status=status, content_type="application/json; charset=utf-8"
    )


def _marked(text: str) -> Markup:
    """Links made clickable and one-time codes made prominent, as a phone does."""
    parts, end = [Markup()], 0
    for found in _MARKED.finditer(text):
        parts.append(escape(text[end : found.start()]))
        link, code = found[1], found[2]
        parts.append(
            Markup('<a href="{0}">{0}</a>').format(link) if link else Markup("<b>{}</b>").format(code)
        )
        end = found.end()
    return Markup().join([*parts, escape(text[end:])])


def _clock_time(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(_CHINA).strftime("%m月%d日 %H:%M")
