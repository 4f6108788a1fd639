"""When an exam is published, then the patient is told by WeChat and SMS; when a code was asked for, then it is sent
(E1, E2, E4, E6).

A channel that is away is tried again by the outbox; one that refuses for good is written down, and the others go on.
A message may be sent twice when we die between the provider's answer and our note of it: the reference sent along lets
a provider drop the second one where it can.
"""

from access import otp
from access.wechat_binding import openids_of
from core import failpoints
from core.clock import now
from core.errors import Unavailable
from core.models import Exam, Notification
from notify import templates
from notify.channel import Channel, ChannelMessage, ChannelRefused
from workflow.context import Platform


def notify_film(platform: Platform, exam_id: int, channel: str) -> None:
    """Send "your film is ready" by one channel, once."""
    note = Notification.get(
        Notification.exam == exam_id, Notification.kind == "film", Notification.channel == channel
    )
    if note.state != "queued":
        return
    exam = Exam.get_by_id(exam_id)
    message = templates.film_ready(platform.settings, exam)
    try:
        if channel == "sms":
            failpoints.passing("sms.before_send")
            reference = _send(platform.sms, exam.patient.phone, message.sms, f"film-{exam_id}")
            failpoints.passing("sms.after_send")
        else:
            reference = _send_wechat(platform, exam, message.wechat)
            failpoints.passing("wechat.after_send")
    except ChannelRefused as error:
        _note(note, state="failed", error=str(error)[:300])
        return
    _note(note, state="sent", provider_reference=reference, sent_at=now())


def send_code(platform: Platform, payload: dict[str, str]) -> None:
    """Send a one-time code. A code that the provider refuses is dropped: the person asks for another."""
    phone, code = otp.sealed_message(payload)
    message = templates.one_time_code(platform.settings, code)
    try:
        platform.sms.send(phone, message.template, message.params, f"otp-{payload['challenge_id']}")
    except ChannelRefused as error:
        otp.note_refused(payload["challenge_id"], str(error))


def _send(channel: Channel, address: str, message: ChannelMessage, reference: str) -> str:
    return channel.send(address, message.template, message.params, reference)


def _send_wechat(platform: Platform, exam: Exam, message: ChannelMessage) -> str:
    if platform.wechat is None:
        raise Unavailable("WeChat is not configured: set CLOUDFILM_WECHAT_API")
    references = [
        _send(platform.wechat, openid, message, f"film-{exam.id}")
        for openid in openids_of(exam.patient.phone_index)
    ]
    return ",".join(references)[:96]


def _note(note: Notification, **values: object) -> None:
    Notification.update(**values).where(Notification.id == note.id, Notification.state == "queued").execute()
