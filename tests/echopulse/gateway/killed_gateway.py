"""A gateway whose Kafka is away, for a test that kills it; it says when all has been spooled."""

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
            run = gateway._running["chat"].run
            lane = run._lane
            assert lane.spool is not None
            on_disk = sum(len(batch.records) for batch, _, _ in run._in_flight if batch.position) + lane.spool.unread
            if on_disk + lane.records == events:
                sys.stdout.write(f"{lane.records}\n")
                sys.stdout.flush()
    await running


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
