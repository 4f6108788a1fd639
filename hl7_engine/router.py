"""Which reader understands which message: a table, filled at start, so that the engine knows no use case."""

from collections.abc import Callable, Sequence

from core.errors import Misconfigured
from hl7_engine.errors import Unsupported
from hl7_engine.reading import adt, dictionary, document, fees, order, report, schedule
from hl7_engine.reading.source import Source

Read = Callable[[Source], Sequence[object]]


class Router:
    """From MSH-9 to the commands that a message asks for."""

    def __init__(self) -> None:
        self._readers: dict[str, Read] = {}

    @property
    def types(self) -> list[str]:
        """Every type that has a reader."""
        return sorted(self._readers)

    def on(self, message_type: str, read: Read) -> None:
        """Bind the one reader of a type such as `OMG^O19`."""
        if message_type in self._readers:
            raise Misconfigured(f"{message_type} already has a reader")
        self._readers[message_type] = read

    def read(self, source: Source) -> list[object]:
        """The commands (core/commands.py) in the message; none when it only tells what does not concern us.

        Raises `Unsupported` for a type without a reader, `Unreadable` for fields that make no sense.
        """
        message_type = source.message.type
        reader = self._readers.get(message_type) or self._readers.get(message_type.partition("^")[0])
        if reader is None:
            raise Unsupported(
                f"message type {message_type[:32]} is not read here: docs/hl7-interface.md lists those that are"
            )
        return list(reader(source))


def standard_router() -> Router:
    """The message set of docs/hl7-interface.md."""
    router = Router()
    _bind(router, "ADT", adt.REGISTERED, adt.read)
    _bind(router, "ADT", adt.MERGED, adt.read_merge)
    _bind(router, "ADT", adt.VOID, adt.read_void)
    _bind(router, "ADT", adt.OF_NO_CONCERN, adt.read_nothing)
    for message_type in ("OMG^O19", "ORM^O01", "OMI^O23"):
        router.on(message_type, order.read)
    router.on("ORU^R01", report.read)
    router.on("DFT^P03", fees.read)
    _bind(router, "SIU", schedule.STATUS, schedule.read)
    _bind(router, "MDM", document.WITH_CONTENT, document.read)
    _bind(router, "MDM", document.NOTICES, document.read_notice)
    router.on(f"MDM^{document.WITHDRAWAL}", document.read_withdrawal)
    _bind(router, "MFN", dictionary.KINDS, dictionary.read)
    # Answers of peers that arrive on a connection of their own: application acknowledgements of what we sent.
    for answer in ("ACK", "ORR", "ORG"):
        router.on(answer, lambda _source: [])
    return router


def _bind(router: Router, code: str, events: Sequence[str] | dict[str, str], read: Read) -> None:
    for event in events:
        router.on(f"{code}^{event}", read)
