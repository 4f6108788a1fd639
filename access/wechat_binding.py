"""Which WeChat follower gets the messages of which phone (E2).

Phones are known here by their blind index only.
"""

from core.clock import now
from core.db import transaction
from core.models import WechatBinding


def bind(openid: str, phone_index: str) -> None:
    """Bind, or move, a follower to a phone; again changes nothing."""
    with transaction():
        WechatBinding.insert(openid=openid, phone_index=phone_index, created_at=now()).on_conflict(
            conflict_target=[WechatBinding.openid], update={WechatBinding.phone_index: phone_index}
        ).execute()


def openids_of(phone_index: str) -> list[str]:
    """The followers bound to a phone, oldest first."""
    rows = WechatBinding.select().where(WechatBinding.phone_index == phone_index).order_by(WechatBinding.id)
    return [row.openid for row in rows]
