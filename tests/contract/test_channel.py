"""One suite for every adapter of the message channel; the providers are the simulators on real sockets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.config import Settings
from core.errors import NotAllowed, Unavailable
from core.models import Exam
from notify import templates
from notify.channel import Channel, ChannelMessage, ChannelRefused, ChannelUnavailable
from notify.channels.aliyun_sms import AliyunSmsChannel
from notify.channels.console import ConsoleChannel
from notify.channels.memory import MemoryChannel
from notify.channels.wechat_template import WechatTemplateChannel
from simulators.sms_gateway import SmsGateway, SmsTemplate
from simulators.wechat import WechatSimulator, WechatTemplate
from wechat.client import WechatClient
from wechat.oauth import OAuth

APP_ID, APP_SECRET, SIGN_NAME = "wx0000000000000001", "secret-of-test", "云胶片"
PHONE, OPENID = "13800138000", "o-follower"

pytestmark = pytest.mark.requirement("E2", "E4", "E6")


@dataclass
class Peer:
    """A channel, an address it reaches, a message it takes, and its provider where there is one."""

    channel: Channel
    address: str
    message: ChannelMessage
    simulator: Any = None

    def send(self, address: str = "", reference: str = "film-1", **params: str) -> str:
        values = {**self.message.params, **params}
        return self.channel.send(address or self.address, self.message.template, values, reference)


def film(settings: Settings, item: str = "胸部CT平扫") -> templates.FilmMessages:
    return templates.film_ready(
        settings, Exam(id=1, item_name=item, performed_at=datetime(2026, 11, 24, tzinfo=UTC))
    )


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[SmsGateway]:
    known = {
        "SMS_OTP": SmsTemplate(templates.SMS_OTP_TEXT, is_code=True),
        "SMS_FILM": SmsTemplate(templates.SMS_FILM_TEXT),
    }
    with SmsGateway(tmp_path / "sms", {"id": "key"}, sign_names=[SIGN_NAME], templates=known) as simulator:
        yield simulator


@pytest.fixture
def wechat(tmp_path: Path) -> Iterator[WechatSimulator]:
    known = {"TPL_FILM": WechatTemplate(templates.WECHAT_FILM_TITLE, templates.WECHAT_FILM_LABELS)}
    with WechatSimulator(tmp_path / "wechat", APP_ID, APP_SECRET, templates=known) as simulator:
        simulator.add_follower(OPENID)
        yield simulator


def sms_at(address: str, secret: str = "key") -> AliyunSmsChannel:
    return AliyunSmsChannel(endpoint=address, key_id="id", key_secret=secret, sign_name=SIGN_NAME)


def wechat_at(address: str, secret: str = APP_SECRET) -> WechatTemplateChannel:
    return WechatTemplateChannel(WechatClient(APP_ID, secret, address).send_template)


@pytest.fixture
def sms_peer(gateway: SmsGateway, settings: Settings) -> Peer:
    return Peer(sms_at(gateway.url), PHONE, film(settings).sms, gateway)


@pytest.fixture
def wechat_peer(wechat: WechatSimulator, settings: Settings) -> Peer:
    return Peer(wechat_at(wechat.url), OPENID, film(settings).wechat, wechat)


@pytest.fixture(params=["memory", "console", "sms", "wechat"])
def peer(request: pytest.FixtureRequest, settings: Settings) -> Peer:
    if request.param == "memory":
        return Peer(MemoryChannel(), PHONE, film(settings).sms)
    if request.param == "console":
        return Peer(ConsoleChannel(), PHONE, film(settings).sms)
    made: Peer = request.getfixturevalue(f"{request.param}_peer")
    return made


@pytest.fixture(params=["sms", "wechat"])
def provider(request: pytest.FixtureRequest) -> Peer:
    made: Peer = request.getfixturevalue(f"{request.param}_peer")
    return made


def test_message_is_sent_and_has_a_reference(peer: Peer) -> None:
    assert peer.send()
    if peer.simulator:
        assert len(peer.simulator.messages(peer.address)) == 1


def test_provider_that_is_away_is_asked_again_later(provider: Peer) -> None:
    provider.simulator.outage.down()
    with pytest.raises(ChannelUnavailable):
        provider.send()
    provider.simulator.outage.up()
    assert provider.send()


def test_provider_that_goes_away_after_the_first_message_too(provider: Peer) -> None:
    provider.send()
    provider.simulator.outage.down()
    with pytest.raises(ChannelUnavailable):
        provider.send(reference="film-2")
    assert len(provider.simulator.messages(provider.address)) == 1


@pytest.mark.parametrize("channel_at", [sms_at, wechat_at])
def test_nobody_at_the_address_is_unavailable(
    channel_at: Callable[[str], Channel], settings: Settings
) -> None:
    with pytest.raises(ChannelUnavailable):
        channel_at("http://127.0.0.1:1").send(PHONE, "SMS_FILM", film(settings).sms.params, "film-1")


def test_address_that_does_not_exist_is_refused_for_good(provider: Peer) -> None:
    with pytest.raises(ChannelRefused):
        provider.send(address="12345")
    assert provider.simulator.messages() == []


def test_unknown_template_is_refused_for_good(provider: Peer) -> None:
    provider.message = replace(provider.message, template="NONE")
    with pytest.raises(ChannelRefused):
        provider.send()


def test_long_and_odd_names_still_fit(
    gateway: SmsGateway, wechat: WechatSimulator, settings: Settings
) -> None:
    odd = film(replace(settings, hospital_name="市" * 60), "【增强】\nhttp://127.0.0.1/ " + "扫" * 60)
    assert Peer(sms_at(gateway.url), PHONE, odd.sms).send()
    assert Peer(wechat_at(wechat.url), OPENID, odd.wechat).send()
    assert "【增强】" not in gateway.messages(PHONE)[0]["text"]


def test_one_time_code_arrives(gateway: SmsGateway, settings: Settings) -> None:
    message = templates.one_time_code(settings, "052718")
    sms_at(gateway.url).send(PHONE, message.template, message.params, "otp-1")
    (told,) = gateway.messages(PHONE)
    assert "052718" in told["text"] and told["out_id"] == "otp-1"


def test_ended_token_is_replaced_without_a_word(wechat_peer: Peer) -> None:
    wechat_peer.send()
    wechat_peer.simulator.expire_tokens()
    assert wechat_peer.send(reference="film-2")
    assert len(wechat_peer.simulator.messages(OPENID)) == 2


def test_card_opens_the_exam(wechat_peer: Peer, settings: Settings) -> None:
    wechat_peer.send()
    (told,) = wechat_peer.simulator.messages(OPENID)
    assert told["url"] == f"{settings.public_url}/exams/1"


def test_log_in_knows_a_wrong_code_from_an_outage(wechat: WechatSimulator) -> None:
    oauth = OAuth(APP_ID, APP_SECRET, wechat.url, wechat.url)
    with pytest.raises(NotAllowed):
        oauth.exchange("no-such-code")
    wechat.outage.down()
    with pytest.raises(Unavailable):
        oauth.exchange("no-such-code")


def test_console_writes_neither_code_nor_phone(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleChannel().send(PHONE, "SMS_OTP", {"code": "052718"}, "otp-1")
    told = capsys.readouterr()
    assert "052718" not in told.out + told.err and PHONE not in told.out + told.err
