"""The promise that an arrival is safe, for platforms that are answered only then: a webhook, a gRPC call."""

from __future__ import annotations

import asyncio

#: What `told` says of an arrival that is in Kafka or in the synced spool, or that the source's rules leave out.
SAFE = ""


class Receipt:
    """Made by a connector in the event loop, given along with its Arrival, and settled once by the gateway.

    Two arrivals need two receipts, though they came in one request.
    """

    def __init__(self) -> None:
        """Begin unsettled."""
        self._told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def told(self, timeout_s: float) -> str:
        """Wait until the arrival is safe; SAFE, or in a line why it is not and should be sent again.

        Raises TimeoutError where neither is known in time: it may still become safe, and its repeat is dropped by id.
        """
        return await asyncio.wait_for(asyncio.shield(self._told), timeout_s)

    def settle(self, reason: str = SAFE) -> None:
        """Say how it went; what was said first stays."""
        if not self._told.done():
            self._told.set_result(reason)
