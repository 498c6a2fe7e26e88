"""One source by itself, without a configuration file: until its stream ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from echopulse.gateway.gateway_config import Source, SourceConfig
from echopulse.gateway.mapping import load_mapping
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.gateway.connector_discovery import ConnectorType
    from echopulse.gateway.source_run import SourceRun


def single_source(connector: ConnectorType, document: dict[str, Any], config: SourceConfig) -> Source:
    """Return a source of the connector, its options those of the document; its mapping gives it its name.

    Raises UsageError, EchoPulseError.
    """
    chosen = connector.options.model_validate(document)
    connector(chosen, config.limits())
    mapping = load_mapping(chosen.mapping)
    return Source(name=mapping.source, config=config, connector=connector, options=chosen, mapping=mapping)


async def run_alone(run: SourceRun, stop: asyncio.Event) -> None:
    """Run one source until its stream or `stop` ends it.

    Raises EchoPulseError where it was lost for good, and where Kafka did not take all that was read.
    """
    ending = asyncio.Event()
    running = asyncio.create_task(run.run(ending))
    waits = [asyncio.create_task(event.wait()) for event in (run.over, stop)]
    try:
        await asyncio.wait({running, *waits}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.set()
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    await running
    figures = run.figures
    if figures.state == "lost":
        raise EchoPulseError(figures.trouble)
    if waiting := figures.events - figures.delivered - figures.dropped["refused"]:
        raise EchoPulseError(f"Kafka does not take the {waiting} events that wait", "see `echopulse status`")
