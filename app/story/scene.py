"""Where a story plays: settings of a throw-away installation on free ports, with keys that mean nothing elsewhere."""

import secrets
from pathlib import Path

from app.installation import add_machine_key, add_staff, set_up
from app.site import free_ports
from core import config
from core.config import Settings

KIOSK = "kiosk-1"
DOCTOR = "doctor"


def environment(home: Path, ports: list[int] | None = None, **more: str) -> dict[str, str]:
    """CLOUDFILM_* of an installation in `home` whose whole surroundings are simulated."""
    numbers = ports or free_ports(8)
    web, live, mllp, scp, oss, sms, wechat, his = [f"127.0.0.1:{port}" for port in numbers]
    values = {
        "HOME": str(home),
        "PUBLIC_URL": f"http://{web}",
        "WEB_BIND": web,
        "LIVE_BIND": live,
        "LIVE_URL": f"http://{live}",
        "MLLP_BIND": mllp,
        "SCP_BIND": scp,
        "STORE": "oss",
        "OSS_ENDPOINT": f"http://{oss}",
        "OSS_KEY_ID": "LTAIstory",
        "OSS_KEY_SECRET": secrets.token_hex(16),
        "SMS_CHANNEL": "aliyun",
        "SMS_ENDPOINT": f"http://{sms}",
        "SMS_KEY_ID": "LTAIstory",
        "SMS_KEY_SECRET": secrets.token_hex(16),
        "WECHAT_API": f"http://{wechat}/",
        "WECHAT_OAUTH": f"http://{wechat}/connect/",
        "WECHAT_APP_ID": "wx0123456789abcdef",
        "WECHAT_APP_SECRET": secrets.token_hex(16),
        "HIS_ADDRESS": his,
        "KIOSK_KEYS": str(home / "keys" / "kiosk.json"),
        "OTP_RESEND_SECONDS": "1",
        "OTP_PER_PHONE_HOUR": "50",
        "OTP_PER_ADDRESS_HOUR": "500",
        **more,
    }
    return {f"CLOUDFILM_{name}": value for name, value in values.items()}


def prepare(environ: dict[str, str]) -> tuple[Settings, str, str]:
    """Set the installation up; return its settings, the kiosk's secret and the doctor's password ("" if it exists)."""
    settings = config.load(environ)
    set_up(settings)
    secret = add_machine_key(Path(settings.kiosk_keys), KIOSK, "自助机1")
    return settings, secret, add_staff(DOCTOR, "值班医生", "doctor") or ""
