"""A gateway with one source of a platform, for tests."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import yaml

from echopulse.gateway.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from echopulse.gateway.source_figures import SourceFigures
    from tests.echopulse.gateway.live import Broker
    from tests.echopulse.gateway.platforms.platform import Platform


class Running:
    """A gateway with one source."""

    def __init__(self, platform: Platform, folder: Path, broker: Broker, **settings: float) -> None:
        """Write its configuration; `settings` are the source's own."""
        source = {"connector": platform.connector, "options": platform.options(), "read_timeout_s": 2.0, **settings}
        path = folder / "gateway.yaml"
        path.write_text(yaml.safe_dump({"state": str(folder / "state"), "sources": {"chat": source}}))
        self.gateway = Gateway(path, [], broker)
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.gateway.run(self.stop, asyncio.Event()))

    @property
    def figures(self) -> SourceFigures:
        """Those of the source, once it runs."""
        return self.gateway.figures()["chat"]

    def state(self) -> str:
        """Its state; '' before it runs."""
        return self.figures.state if "chat" in self.gateway.figures() else ""


@asynccontextmanager
async def source_running(platform: Platform, folder: Path, broker: Broker, **settings: float) -> AsyncIterator[Running]:
    """Run it until the block ends."""
    running = Running(platform, folder, broker, **settings)
    try:
        yield running
    finally:
        running.stop.set()
        await running.task
