"""What we say, in the forms that the providers approved: parameters are named as in the approved templates.

Aliyun: values ≤ 35 characters, no URL and no 【】 (the link stands in the template's text). WeChat: `thing`
≤ 20 characters, `time` as YYYY-MM-DD HH:MM (developers.weixin.qq.com, subscription messages, parameters).
No patient name goes to a provider.
"""

from dataclasses import dataclass
from datetime import timedelta, timezone

from core.config import Settings
from core.models import Exam
from notify.channel import ChannelMessage

SMS_VALUE, WECHAT_THING = 35, 20
CHINA = timezone(timedelta(hours=8))

# What the operator registers with the provider; the simulators of demos use the same texts.
SMS_OTP_TEXT = "您的验证码是${code}，5分钟内有效，请勿告诉他人。"
SMS_FILM_TEXT = "您在${hospital}的${item}结果已出，请在医院微信公众号或云胶片页面查看。"
WECHAT_FILM_TITLE = "检查结果通知"
WECHAT_FILM_LABELS = {"thing1": "医院", "thing2": "检查项目", "time3": "检查时间"}


@dataclass(frozen=True)
class FilmMessages:
    """The same news for each channel."""

    sms: ChannelMessage
    wechat: ChannelMessage


def one_time_code(settings: Settings, code: str) -> ChannelMessage:
    """The SMS with a code."""
    return ChannelMessage(settings.sms_otp_template, {"code": code})


def film_ready(settings: Settings, exam: Exam) -> FilmMessages:
    """Your report and film are ready."""
    item = exam.item_name or "影像检查"
    when = (exam.performed_at or exam.ordered_at or exam.created_at).astimezone(CHINA)
    return FilmMessages(
        sms=ChannelMessage(
            settings.sms_film_template,
            {"hospital": _fit(settings.hospital_name, SMS_VALUE), "item": _fit(item, SMS_VALUE)},
        ),
        wechat=ChannelMessage(
            settings.wechat_film_template,
            {
                "thing1": _fit(settings.hospital_name, WECHAT_THING),
                "thing2": _fit(item, WECHAT_THING),
                "time3": when.strftime("%Y-%m-%d %H:%M"),
                "url": f"{settings.public_url.rstrip('/')}/exams/{exam.id}",
            },
        ),
    )


def _fit(text: str, most: int) -> str:
    """One line within the provider's length, without what it takes for a signature or a link."""
    plain = " ".join(text.split()).translate(str.maketrans("【】", "（）")).replace("://", " ")
    return plain if len(plain) <= most else plain[: most - 1] + "…"
