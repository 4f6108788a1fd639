"""From HL7 segments to core/commands, one file per family of messages.

Readers are pure: they touch neither database nor clock beyond the message's own times.
"""
