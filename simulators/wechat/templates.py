"""Message templates, and the rules for what may stand in a field.

Source: developers.weixin.qq.com, subscription messages, parameter table: the name of a field tells its type.
The category templates of template messages obey the same table (47003).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.wechat.errors import WechatError

_FIELD_RULES = {
    "thing": re.compile(r".{1,20}"),
    "character_string": re.compile(r"[\x21-\x7e ]{1,32}"),
    "number": re.compile(r"\d{1,32}(\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "phrase": re.compile(r"[\u4e00-\u9fff]{1,5}"),
    "name": re.compile(r".{1,10}|[\x20-\x7e]{1,20}"),
    "phone_number": re.compile(r"[\d+ -]{1,17}"),
    "amount": re.compile(r"[¥￥$]?\d{1,10}(\.\d{1,2})?元?"),
    "time": re.compile(r"(\d{4}([-/.]\d{1,2}[-/.]|年\d{1,2}月)\d{1,2}日? ?)?\d{1,2}:\d{2}(:\d{2})?"),
    "date": re.compile(r"\d{4}([-/.]\d{1,2}[-/.]|年\d{1,2}月)\d{1,2}日?( ?\d{1,2}:\d{2})?"),
    "const": re.compile(r".{1,20}"),
}
_FIELD_NAME = re.compile(r"([a-z_]+?)\d+")


@dataclass(frozen=True)
class WechatTemplate:
    """A template that the account has: its title, and its fields' labels, such as {"thing1": "检查项目"}."""

    title: str
    labels: Mapping[str, str]

    def fill(self, data: Any) -> list[tuple[str, str]]:
        """The (label, value) rows as the user reads them. Raises `WechatError` 47003 naming the field."""
        rows = []
        for name, label in self.labels.items():
            field = data.get(name) if isinstance(data, dict) else None
            value = field.get("value") if isinstance(field, dict) else None
            if not isinstance(value, str) or not value:
                raise WechatError(47003, f"argument invalid! data.{name}.value is empty")
            kind = _FIELD_NAME.fullmatch(name)
            rule = _FIELD_RULES.get(kind[1]) if kind is not None else None
            if rule is not None and not rule.fullmatch(value):
                raise WechatError(47003, f"argument invalid! data.{name}.value invalid")
            rows.append((label, value))
        return rows
