"""`echopulse ingest run --processes`, from websockets to a real JetStream."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
import yaml
from websockets.asyncio.server import ServerConnection, serve

from echopulse.gateway.share import Share
from tests.echopulse.gateway.live import frame
from tests.echopulse.gateway.nats_server import nats_running
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_DEADLINE_S = 60
_SOURCES = [f"room{number}" for number in range(5)]
_EACH = 20
_MAPPING = {"source": "test", "id": "id", "ts": {"path": "t", "format": "ms"}, "channel": "c", "user": "u"}


@asynccontextmanager
async def _started(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start two processes for sources that give a few events each."""
    (folder / "mapping.yaml").write_text(yaml.safe_dump(_MAPPING))
    async with AsyncExitStack() as servers:
        sources = {}
        for name in _SOURCES:

            async def handle(socket: ServerConnection, name: str = name) -> None:
                for number in range(_EACH):
                    await socket.send(frame(number, c=name, u="u"))
                await socket.wait_closed()

            server = await servers.enter_async_context(serve(handle, "127.0.0.1", 0, close_timeout=1))
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            sources[name] = {"connector": "websocket", "options": {"url": url, "mapping": str(folder / "mapping.yaml")}}
        (folder / "nats").mkdir()
        nats = servers.enter_context(nats_running(folder / "nats"))
        config = {
            "state": str(folder / "state"),
            "metrics_port": port,
            "bus": "nats",
            "nats": {"servers": [nats.url]},
            "sources": sources,
        }
        (folder / "gateway.yaml").write_text(yaml.safe_dump(config))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "echopulse.cli.main", "ingest", "run", "--processes", "2", "--json"),
            *("--gateway", str(folder / "gateway.yaml")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _delivered(port: int) -> dict[str, int]:
    """Return what the metrics at a port say was delivered, by source; nothing while nobody answers."""
    try:
        async with httpx.AsyncClient(timeout=5.0) as client:
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    except httpx.TransportError:
        return {}
    lines = [line for line in text.splitlines() if line.startswith("event_ingest_lag_seconds_count")]
    return {line.split('"')[1]: int(float(line.split()[-1])) for line in lines}


async def _all_delivered(process: asyncio.subprocess.Process, port: int) -> list[dict[str, int]]:
    async with asyncio.timeout(_DEADLINE_S):
        while True:
            if process.returncode is not None:
                _, error = await process.communicate()
                pytest.fail(f"the gateway ended with {process.returncode}: {error.decode()}")
            found = [await _delivered(port), await _delivered(port + 1)]
            if sum(sum(one.values()) for one in found) == _EACH * len(_SOURCES):
                return found
            await asyncio.sleep(0.1)


async def test_sources_are_shared_out(tmp_path: Path) -> None:
    """Each in one process, with metrics of its own; a signal ends all, and one document tells of all."""
    port = free_ports(2)[0]
    async with _started(tmp_path, port) as process:
        found = await _all_delivered(process, port)
        assert [set(one) for one in found] == [
            {name for name in _SOURCES if Share(number, 2).holds(name)} for number in (0, 1)
        ]
        assert all(found)
        children = psutil.Process(process.pid).children()
        assert len(children) == 2
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_DEADLINE_S):
            out, _ = await process.communicate()
    assert process.returncode == 0
    assert {name: of["delivered"] for name, of in json.loads(out)["sources"].items()} == dict.fromkeys(_SOURCES, _EACH)
    assert not [child for child in children if child.is_running()]


async def test_one_that_dies_ends_all(tmp_path: Path) -> None:
    """With its share and what it said last."""
    port = free_ports(2)[0]
    async with _started(tmp_path, port) as process:
        await _all_delivered(process, port)
        children = psutil.Process(process.pid).children()
        children[0].kill()
        async with asyncio.timeout(_DEADLINE_S):
            _, error = await process.communicate()
    assert process.returncode == 1
    assert "of the gateway ended with -9" in error.decode().splitlines()[-1]
    assert not [child for child in children if child.is_running()]


async def test_none_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    """Each sees that the pipe from it has ended."""
    port = free_ports(2)[0]
    async with _started(tmp_path, port) as process:
        await _all_delivered(process, port)
        children = psutil.Process(process.pid).children()
        process.kill()
        await process.wait()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, children, _DEADLINE_S)
    assert (len(gone), alive) == (2, [])
