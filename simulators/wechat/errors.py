"""How WeChat says no: HTTP 200 and an errcode. Source: developers.weixin.qq.com, "Global return codes"."""


class WechatError(Exception):
    """A refusal: `errcode` as the platform numbers it, `errmsg` for people."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode}: {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg
