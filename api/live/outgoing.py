"""What waits to be sent to one client: of each kind of thing the newest only, so a slow client costs a bounded memory."""

import asyncio


class Outgoing:
    """At most one text for each key, in the order in which the newest of them came."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._has_some = asyncio.Event()

    def put(self, key: str, text: str) -> None:
        """Wait to be sent, in the place of an older one of this key."""
        self._waiting.pop(key, None)
        self._waiting[key] = text
        self._has_some.set()

    def put_first(self, key: str, text: str) -> None:
        """Be sent before all that waits."""
        self._waiting = {key: text, **self._waiting}
        self._has_some.set()

    async def get(self) -> str:
        """The oldest, as soon as there is one."""
        await self._has_some.wait()
        key = next(iter(self._waiting))
        text = self._waiting.pop(key)
        if not self._waiting:
            self._has_some.clear()
        return text

    def __len__(self) -> int:
        return len(self._waiting)
