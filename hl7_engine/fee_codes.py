"""Codes of ZFE, our segment for the film fee beside FT1 (docs/hl7-interface.md): shared by reading and writing."""

# ZFE-4, state of the line.
UNPAID = "0"
PAID = "1"
REFUNDING = "2"
REFUNDED = "3"
WAIVED = "4"

# ZFE-6, who collected (诊间, 自助机, 窗口, 公众号, 小程序), and the channel in our own words.
CHANNELS = {"ZJ": "clinic", "ZZJ": "kiosk", "CK": "cashier", "GZH": "wechat", "XCX": "miniprogram"}
CHANNEL_CODES = {channel: code for code, channel in CHANNELS.items()}

# FT1-6: HL7 table 0017.
CHARGE = "CG"
CREDIT = "CR"
