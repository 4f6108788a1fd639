"""Engines behind `crypto.provider.Provider`: the portable one, and a slow independent one to check it by.

Only `app` and tests import from here.
"""
