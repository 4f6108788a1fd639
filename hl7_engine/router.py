"""Which reader understands which message: a table, filled at start, so that the engine knows no use case."""

from collections.abc import Callable, Sequence
from functools import partial

from core.errors import Misconfigured
from hl7_engine.er7 import Message
from hl7_engine.errors import Unsupported
from hl7_engine.reading import adt, fees, order, report

Read = Callable[[Message], Sequence[object]]


class Router:
    """From MSH-9 to the commands that a message asks for."""

    def __init__(self) -> None:
        self._readers: dict[str, Read] = {}

    def on(self, message_type: str, read: Read) -> None:
        """Bind the one reader of a type such as `OMG^O19`."""
        if message_type in self._readers:
            raise Misconfigured(f"{message_type} already has a reader")
        self._readers[message_type] = read

    def read(self, message: Message) -> list[object]:
        """The commands (core/commands.py) in `message`; none when it only tells what does not concern us.

        Raises `Unsupported` for a type without a reader, `Unreadable` for fields that make no sense.
        """
        reader = self._readers.get(message.type)
        if reader is None:
            known = ", ".join(sorted(self._readers))
            raise Unsupported(f"message type {message.type[:32]} is not read here; these are: {known}")
        return list(reader(message))


def standard_router(film_item_code: str) -> Router:
    """The message set of docs/hl7.md. `film_item_code` is the HIS's code of the digital film fee."""
    router = Router()
    for event in ("A01", "A04", "A08", "A28", "A31"):
        router.on(f"ADT^{event}", adt.read)
    for message_type in ("OMG^O19", "ORM^O01"):
        router.on(message_type, partial(order.read, film_item_code=film_item_code))
    router.on("ORU^R01", report.read)
    router.on("DFT^P03", partial(fees.read, film_item_code=film_item_code))
    return router
