"""The outer world of a demo or story in one process: OSS, SMS gateway, WeChat and the HIS's own MLLP port.

Addresses and keys are those of the installation's settings, which must all be loopback.
"""

import threading
from contextlib import ExitStack
from urllib.parse import urlsplit

from core.config import Settings, host_and_port
from notify.templates import SMS_FILM_TEXT, SMS_OTP_TEXT, WECHAT_FILM_LABELS, WECHAT_FILM_TITLE
from simulators.his import HisSimulator
from simulators.oss import OssSimulator
from simulators.sms_gateway import SmsGateway, SmsTemplate
from simulators.wechat import WechatSimulator, WechatTemplate

# The story logs in twice within seconds; a real gateway allows one code a minute.
CODE_LIMITS = ((1, 3), (3600, 60))


def serve_world(settings: Settings, stop: threading.Event) -> None:
    """Run every simulator until `stop` is set."""
    state = settings.home_path / "world"
    for part in ("oss", "sms", "wechat", "his"):
        (state / part).mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        host, port = _address(settings.oss_endpoint)
        running.enter_context(
            OssSimulator(
                state / "oss",
                {settings.oss_key_id: settings.oss_key_secret},
                buckets=[settings.oss_bucket],
                region=settings.oss_region,
                host=host,
                port=port,
            )
        )
        host, port = _address(settings.sms_endpoint)
        running.enter_context(
            SmsGateway(
                state / "sms",
                {settings.sms_key_id: settings.sms_key_secret},
                sign_names=[settings.sms_sign_name],
                templates={
                    settings.sms_otp_template: SmsTemplate(SMS_OTP_TEXT, is_code=True),
                    settings.sms_film_template: SmsTemplate(SMS_FILM_TEXT),
                },
                code_limits=CODE_LIMITS,
                host=host,
                port=port,
            )
        )
        host, port = _address(settings.wechat_api)
        running.enter_context(
            WechatSimulator(
                state / "wechat",
                settings.wechat_app_id,
                settings.wechat_app_secret,
                templates={
                    settings.wechat_film_template: WechatTemplate(WECHAT_FILM_TITLE, WECHAT_FILM_LABELS)
                },
                account_name=settings.hospital_name,
                host=host,
                port=port,
            )
        )
        host, port = host_and_port(settings.his_address)
        running.enter_context(HisSimulator(state / "his", host_and_port(settings.mllp_bind), host, port))
        stop.wait()


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)
