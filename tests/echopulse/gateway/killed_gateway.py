"""A gateway with a Kafka that is away, for a test that kills it: told the configuration, it says when it has spooled."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from echopulse.gateway.gateway import Gateway


class _Away:
    """Acknowledges nothing."""

    def send(self, records: object) -> asyncio.Future[list[object]]:
        del records
        return asyncio.get_running_loop().create_future()


async def _main(path: Path, events: int) -> None:
    gateway = Gateway(path, [], _Away())  # type: ignore[arg-type] # what it gives is never there
    running = asyncio.create_task(gateway.run(asyncio.Event(), asyncio.Event()))
    while not running.done():
        await asyncio.sleep(0.02)
        figures = gateway.figures().get("chat")
        if figures and figures.events == events:
            lane = gateway._running["chat"].run._lane
            assert lane.spool is not None
            if lane.spool.unread + lane.records == events:
                sys.stdout.write(f"{lane.records}\n")
                sys.stdout.flush()
    await running


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
