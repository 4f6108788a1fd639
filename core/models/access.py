"""Who may come in: one-time codes, sessions, staff, WeChat bindings (E2, E6)."""

import peewee

from core.fields import SealedTextField, UtcDateTimeField
from core.models.base import Record


class OtpChallenge(Record):
    """One sent code; kept only as HMAC-SM3. Used at most once, `tries_left` times at most."""

    phone_index = peewee.CharField(max_length=64, index=True)
    address = peewee.CharField(max_length=64, default="", index=True)
    code_hmac = peewee.CharField(max_length=64)
    tries_left = peewee.IntegerField()
    expires_at = UtcDateTimeField()
    used_at = UtcDateTimeField(null=True)


class Staff(Record):
    """A doctor or operator; `role` is doctor | operator. The password is an argon2id hash."""

    username = peewee.CharField(max_length=64, unique=True)
    display_name = peewee.CharField(max_length=64)
    role = peewee.CharField(max_length=16)
    password_hash = peewee.CharField(max_length=200)


class Session(Record):
    """An opaque server-side session (decision 12): only the SM3 of its token is kept."""

    token_sm3 = peewee.CharField(max_length=64, unique=True)
    kind = peewee.CharField(max_length=8)
    phone = SealedTextField(default="")
    phone_index = peewee.CharField(max_length=64, default="", index=True)
    staff = peewee.ForeignKeyField(Staff, null=True)
    openid = peewee.CharField(max_length=64, default="")
    csrf_token = peewee.CharField(max_length=64)
    expires_at = UtcDateTimeField()
    revoked_at = UtcDateTimeField(null=True)


class WechatBinding(Record):
    """Which WeChat follower receives the messages of which phone."""

    openid = peewee.CharField(max_length=64, unique=True)
    phone_index = peewee.CharField(max_length=64, index=True)
