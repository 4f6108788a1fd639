"""The composition root: from settings to a running `Platform`. Nothing else constructs adapters (research/style 8.2)."""

from access import hospital_peers, signed_requests
from app.bindings import bind_commands
from app.engines import open_engines
from app.keys import open_keyring
from core import bus as core_bus
from core import db, failpoints, personal_data
from core.config import Settings
from core.errors import Misconfigured
from crypto.provider import Provider
from crypto.providers.portable import PortableProvider
from crypto.self_test import run_self_test
from hl7_engine import site as sites
from hl7_engine.connectors.senders import build_sender
from hl7_engine.site import Site
from imaging.spool import Spool
from imaging.store import Store
from imaging.stores.local import LocalStore
from imaging.stores.oss import OssStore
from notify.channel import Channel
from notify.channels.aliyun_sms import AliyunSmsChannel
from notify.channels.console import ConsoleChannel
from notify.channels.wechat_template import WechatTemplateChannel
from wechat.client import WechatClient
from wechat.oauth import OAuth
from workflow.context import Platform

# A peer that has not ACKed after half a minute is asked again by the outbox.
PEER_TIMEOUT_SECONDS = 30


def build_platform(settings: Settings) -> Platform:
    """Connect the database, open the keys, choose the adapters. Raises `Misconfigured` saying what to do."""
    failpoints.arm(settings.fail, settings.home_path)
    db.connect(settings.database)
    provider = open_engines(settings).sm4
    keyring = open_keyring(settings)
    personal_data.bind(keyring)
    wechat_client = _wechat_client(settings)
    bus = core_bus.InProcessBus()
    site = load_site(settings)
    platform = Platform(
        settings=settings,
        provider=provider,
        keyring=keyring,
        spool=Spool(settings.spool_path),
        store=_store(settings),
        bus=bus,
        sms=_sms(settings),
        wechat=WechatTemplateChannel(wechat_client.send_template) if wechat_client else None,
        wechat_oauth=_oauth(settings),
        site=site,
        senders={peer.name: build_sender(peer, PEER_TIMEOUT_SECONDS) for peer in site.peers if peer.send_to},
        machine_keys=signed_requests.load_keys(settings.kiosk_keys) if settings.kiosk_keys else {},
        hospital_peers=hospital_peers.load(settings.http_peers, settings.http_peer_tokens),
    )
    bind_commands(bus, platform)
    return platform


def load_site(settings: Settings) -> Site:
    """The systems that talk to us, and the connectors. Raises `Misconfigured` naming what is wrong in the file."""
    return sites.load(
        settings.hl7_site, his_address=settings.his_address, film_item_code=settings.film_item_code
    )


def open_provider() -> Provider:
    """The engine that any machine has, after its known answers: for tools that have no installation at hand (H2)."""
    provider = PortableProvider()
    run_self_test(provider)
    return provider


def _store(settings: Settings) -> Store:
    if settings.store == "local":
        return LocalStore(settings.home_path / "store")
    if settings.store == "oss":
        return OssStore(
            endpoint=settings.oss_endpoint,
            region=settings.oss_region,
            bucket=settings.oss_bucket,
            key_id=settings.oss_key_id,
            key_secret=settings.oss_key_secret,
            checkpoint_dir=settings.home_path / "uploads",
        )
    raise Misconfigured(f"CLOUDFILM_STORE is {settings.store!r}: use local or oss")


def _sms(settings: Settings) -> Channel:
    if settings.sms_channel == "console":
        return ConsoleChannel()
    if settings.sms_channel == "aliyun":
        return AliyunSmsChannel(
            endpoint=settings.sms_endpoint,
            key_id=settings.sms_key_id,
            key_secret=settings.sms_key_secret,
            sign_name=settings.sms_sign_name,
        )
    raise Misconfigured(f"CLOUDFILM_SMS_CHANNEL is {settings.sms_channel!r}: use console or aliyun")


def _wechat_client(settings: Settings) -> WechatClient | None:
    if not settings.wechat_app_id:
        return None
    return WechatClient(settings.wechat_app_id, settings.wechat_app_secret, settings.wechat_api)


def _oauth(settings: Settings) -> OAuth | None:
    if not settings.wechat_app_id:
        return None
    return OAuth(
        settings.wechat_app_id, settings.wechat_app_secret, settings.wechat_oauth, settings.wechat_api
    )
