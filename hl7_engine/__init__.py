"""Messages between hospital systems and us: HL7 v2.x over MLLP, from bytes to commands and back.

Knows no use case: what was read leaves as core/commands on the bus; what we owe a peer enters by `outgoing`.
"""
