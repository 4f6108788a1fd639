"""WeChat: the service account's messages and log-in, through wechatpy behind a fence (E2, S2)."""
