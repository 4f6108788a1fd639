"""The outer world on loopback: each module plays one outside system, and is as strict as the real one.

They verify signatures, refuse replays, keep their state on disk, and can be switched off for a while.
"""
