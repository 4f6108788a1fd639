"""SM3 (GB/T 32905-2016) of 16 messages at a time."""

from collections.abc import Sequence

import numpy as np

from crypto.providers.mbx.buffers import Addresses, Bytes, Lengths, joined, row_addresses, rows
from crypto.providers.mbx.library import LANES_16, Library, require_all
from crypto.sm3 import DIGEST_SIZE


class Sm3:
    """Digests many messages. Lanes wait for the longest of their sixteen, so those of like length go together."""

    def __init__(self, library: Library) -> None:
        self._call = library.sm3

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """32 bytes for each."""
        whole, places, lengths = joined(messages)
        digests = self.digest_places(places, lengths)
        del whole
        return [digest.tobytes() for digest in digests]

    def digest_rows(self, messages: Bytes) -> Bytes:
        """Of rows of one width: array of rows of 32 bytes."""
        return self.digest_places(
            row_addresses(messages), np.full(len(messages), messages.shape[1], np.int32)
        )

    def digest_places(self, places: Addresses, lengths: Lengths) -> Bytes:
        """Of messages by address and length, which the caller keeps alive: array of rows of 32 bytes."""
        count = len(places)
        if not count:
            return rows(0, DIGEST_SIZE)
        filled = -(-count // LANES_16) * LANES_16
        order = np.argsort(lengths, kind="stable")
        # The last messages go round again in the lanes that are left over; they write into rows of their own.
        order = np.concatenate([order, np.repeat(order[-1:], filled - count)])
        sources, sizes, digests = places[order], lengths[order], rows(filled, DIGEST_SIZE)
        targets = row_addresses(digests)
        for first in range(0, filled, LANES_16):
            status = self._call(
                sources.ctypes.data + 8 * first,
                sizes.ctypes.data + 4 * first,
                targets.ctypes.data + 8 * first,
            )
            require_all(status, "SM3 in lanes")
        placed = rows(count, DIGEST_SIZE)
        placed[order[:count]] = digests[:count]
        return placed
