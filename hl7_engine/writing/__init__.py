"""From our facts to HL7 messages that other systems read.

Built and validated by hl7apy, which is too slow to receive with but strict enough to send with.
"""
