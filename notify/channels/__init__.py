"""Adapters of `notify.channel.Channel`:
memory (tests), console (no provider yet), Aliyun SMS, WeChat template messages.
"""
