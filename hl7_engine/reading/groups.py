"""A message with several orders or reports: which segments belong to which (v2.5.1 chapters 4.4, 7.3)."""

from dataclasses import dataclass, field
from functools import cached_property

from hl7_engine.er7 import Segment
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.source import Scope, Source


@dataclass
class Group:
    """One ORC and OBR with what follows them until the next."""

    source: Source
    orc: Segment
    obr: Segment
    others: list[Segment] = field(default_factory=list)

    @cached_property
    def scope(self) -> Scope:
        """Its segments by name. An ORC or OBR that the group lacks is empty here, not the one of another group."""
        return {segment.name: segment for segment in reversed(self.others)} | {
            "ORC": self.orc,
            "OBR": self.obr,
        }

    @cached_property
    def accession_number(self) -> str:
        """检查号: OBR-18 (placer field 1, IHE RAD TF-2 4.2), else the filler's number, unless the profile differs."""
        return self.source.key("accession_number", self.scope)

    @cached_property
    def placer_order_number(self) -> str:
        """申请单号: ORC-2, repeated in OBR-2."""
        return self.source.key("order_number", self.scope)

    def named(self, name: str) -> list[Segment]:
        """The other segments of this name."""
        return [segment for segment in self.others if segment.name == name]

    def require_number(self) -> None:
        """Raise `Unreadable` unless the group says which exam it is about."""
        if not self.accession_number and not self.placer_order_number:
            places = self.source.profile.fields
            accession, order = places["accession_number"][0], places["order_number"][0]
            text = f"neither {accession} (accession number) nor {order} (order number) is given"
            raise Unreadable(text, REQUIRED_FIELD_MISSING)


def groups_of(source: Source) -> list[Group]:
    """The groups in order. An OBR without an ORC of its own begins one too."""
    message = source.message
    found: list[Group] = []
    for segment in message.all_segments:
        if segment.name == "ORC":
            found.append(Group(source, segment, message.missing("OBR")))
        elif segment.name == "OBR":
            if not found or not found[-1].obr.is_empty:
                found.append(Group(source, message.missing("ORC"), segment))
            else:
                found[-1].obr = segment
        elif found:
            found[-1].others.append(segment)
    return found
