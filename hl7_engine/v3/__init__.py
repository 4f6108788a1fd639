"""The national platform's XML (医院信息平台交互规范, WS/T 500): HL7 v3 messages and CDA documents into core/commands.

`read(action, content)` is all that the rest of the engine needs; answer.py words the acknowledgement.
"""

from hl7_engine.v3.services import read

__all__ = ["read"]
