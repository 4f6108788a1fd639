"""A message with several orders or reports: which segments belong to which (v2.5.1 chapters 4.4, 7.3)."""

from dataclasses import dataclass, field

from hl7_engine.er7 import Message, Segment
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.values import key


@dataclass
class Group:
    """One ORC and OBR with what follows them until the next."""

    orc: Segment
    obr: Segment
    others: list[Segment] = field(default_factory=list)

    @property
    def accession_number(self) -> str:
        """OBR-18 (placer field 1, IHE RAD TF-2 4.2), else the filler's number."""
        return key(self.obr, "18") or key(self.obr, "3.1") or key(self.orc, "3.1")

    @property
    def placer_order_number(self) -> str:
        """申请单号: ORC-2, repeated in OBR-2."""
        return key(self.orc, "2.1") or key(self.obr, "2.1")

    def named(self, name: str) -> list[Segment]:
        """The other segments of this name."""
        return [segment for segment in self.others if segment.name == name]

    def require_number(self) -> None:
        """Raise `Unreadable` unless the group says which exam it is about."""
        if not self.accession_number and not self.placer_order_number:
            text = "neither OBR-18 (accession number) nor ORC-2 (order number) is given"
            raise Unreadable(text, REQUIRED_FIELD_MISSING)


def groups_of(message: Message) -> list[Group]:
    """The groups in order. An OBR without an ORC of its own begins one too."""
    found: list[Group] = []
    for segment in message.all_segments:
        if segment.name == "ORC":
            found.append(Group(segment, message.missing("OBR")))
        elif segment.name == "OBR":
            if not found or not found[-1].obr.is_empty:
                found.append(Group(message.missing("ORC"), segment))
            else:
                found[-1].obr = segment
        elif found:
            found[-1].others.append(segment)
    return found
