"""Template messages of the service account; the client itself lives in `wechat` and is handed in by `app`."""

from collections.abc import Callable, Mapping

from core.errors import Refused, Unavailable
from notify.channel import ChannelRefused, ChannelUnavailable

SendTemplate = Callable[[str, str, Mapping[str, str], str, str], str]


class WechatTemplateChannel:
    """`send_template(openid, template_id, values, url, client_msg_id) -> msgid`."""

    name = "wechat"

    def __init__(self, send_template: SendTemplate) -> None:
        self._send_template = send_template

    def send(self, address: str, template: str, params: Mapping[str, str], reference: str) -> str:
        """`params["url"]` is the page that the card opens; the rest are the template's fields."""
        values = {name: value for name, value in params.items() if name != "url"}
        try:
            return self._send_template(address, template, values, params.get("url", ""), reference)
        except Refused as error:
            raise ChannelRefused(str(error)) from error
        except Unavailable as error:
            raise ChannelUnavailable(str(error)) from error
