"""`echopulse ingest run` as a process of its own, and what its /metrics tell."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Self

import httpx
import psutil
import yaml
from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_DEADLINE_S = 60.0
_POLL_S = 0.05

Samples = dict[tuple[str, str], float]


class GatewayProcess:
    """One configuration, run by one process after the other. A `with` block leaves none behind."""

    def __init__(
        self, folder: Path, bootstrap: str, metrics_port: int, command: Sequence[str] = ("echopulse.cli.main",)
    ) -> None:
        """Nothing is started yet; `command` is the module to run, and its own arguments."""
        self._command = command
        # One client for all readings: its certificates alone take 20 ms to load, of the cores that are measured.
        self._client = httpx.AsyncClient(timeout=5.0)
        self.path, self._log = folder / "gateway.yaml", folder / "gateway.log"
        self._port, self._bootstrap = metrics_port, bootstrap
        self._process: asyncio.subprocess.Process | None = None

    def configure(self, sources: Mapping[str, object], **others: object) -> None:
        """Write the configuration; its state lies beside it."""
        document = {"state": str(self.path.parent / "state"), "metrics_port": self._port, "sources": sources} | others
        self.path.write_text(yaml.safe_dump(document), encoding="utf-8")

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._process is None:
            raise EchoPulseError("the gateway is not running")
        return self._process.pid

    def rss(self) -> int:
        """Return its resident memory in bytes; 0 while no process runs."""
        try:
            return psutil.Process(self._process.pid).memory_info().rss if self._process else 0
        except psutil.NoSuchProcess:
            return 0

    async def start(self) -> None:
        """Start a process and return when its /metrics answer."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *self._command, "ingest", "run", "--gateway", str(self.path), "--json"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=os.environ | {"ECHOPULSE_KAFKA__BOOTSTRAP": self._bootstrap},
            )
        await self.until(bool, "the gateway's /metrics")

    async def kill(self) -> None:
        """End it as a crash would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> str:
        """Let it end in order; return what it says of itself. Raises EchoPulseError where it fails."""
        status, told = await self._end(signal.SIGTERM)
        if status:
            raise EchoPulseError(f"the gateway ended with {status}: {self._last_words()}")
        return told

    async def samples(self) -> Samples:
        """Return the metrics by name and label; none while it starts.

        The label is the reason of a drop, source and bound (`chat<=0.05`) of a bucket, elsewhere the source.
        """
        try:
            text = (await self._client.get(f"http://127.0.0.1:{self._port}/metrics")).text
        except httpx.TransportError:
            return {}
        found: Samples = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name, _label(sample.labels)] = sample.value
        return found

    async def until(self, holds: Callable[[Samples], bool], what: str, deadline_s: float = _DEADLINE_S) -> Samples:
        """Poll the metrics until they hold. Raises EchoPulseError naming `what` where it takes longer."""
        deadline = time.monotonic() + deadline_s
        while True:
            samples = await self.samples()
            if samples and holds(samples):
                return samples
            if self._process is not None and self._process.returncode is not None:
                raise EchoPulseError(f"the gateway ended with {self._process.returncode}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise EchoPulseError(f"waited {deadline_s:.0f} s for {what}: {samples}")
            await asyncio.sleep(_POLL_S)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what still runs."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()
        await self._client.aclose()

    async def _end(self, number: signal.Signals) -> tuple[int, str]:
        process = self._process
        if process is None:
            raise EchoPulseError("the gateway is not running")
        process.send_signal(number)
        async with asyncio.timeout(_DEADLINE_S):
            told, _ = await process.communicate()
        self._process = None
        return process.returncode or 0, told.decode()

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace").strip()[-500:]


def _label(labels: Mapping[str, str]) -> str:
    source = labels.get("source", "")
    return labels.get("reason") or (f"{source}<={labels['le']}" if "le" in labels else source)
