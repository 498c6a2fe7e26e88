"""`echopulse ingest run --processes N`: the sources shared out among processes, which end together."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from echopulse.gateway.share import Share
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Longer than a source waits for Kafka when it ends.
_ENDING_S = 60.0
_LINE_BYTES = 1 << 20


async def run_shares(arguments: Sequence[str], count: int) -> dict[str, Any]:
    """Run `echopulse` with the arguments and a share each, until a signal; return what all say of their sources.

    SIGINT and SIGTERM end all of them, SIGHUP is passed on. Raises EchoPulseError where one ends by itself with a
    failure; the others end with it.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    children: list[_Child] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def reload() -> None:
        for child in children:
            child.tell(signal.SIGHUP)

    loop.add_signal_handler(signal.SIGHUP, reload)
    stopping = asyncio.create_task(stop.wait())
    try:
        children += [await _Child.started(arguments, Share(number, count)) for number in range(count)]
        running = {child.told for child in children}
        while running and not stop.is_set():
            done, _ = await asyncio.wait({stopping, *running}, return_when=asyncio.FIRST_COMPLETED)
            running -= done
            if any(child.failed for child in children):
                break
        for child in children:
            child.tell(signal.SIGTERM)
        await asyncio.wait([child.told for child in children], timeout=_ENDING_S)
    finally:
        stopping.cancel()
        for child in children:
            await child.leave()
    for child in children:
        if child.failed:
            raise EchoPulseError(f"process {child.share} of the gateway ended with {child.status}: {child.last_line}")
    return {name: of for child in children for name, of in child.told.result().items()}


class _Child:
    """One process; its standard error is passed on by the line, so that it draws no table over another's."""

    def __init__(self, share: Share, process: asyncio.subprocess.Process) -> None:
        self.share, self._process = share, process
        self.last_line = ""
        self.told = asyncio.create_task(self._document())

    @classmethod
    async def started(cls, arguments: Sequence[str], share: Share) -> _Child:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "echopulse.cli.main", *arguments, "--share", str(share), "--json"),
            # It ends when this pipe does, so that none is left behind by a parent that was killed.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
            # Ctrl-C is told once, by the parent.
            start_new_session=True,
        )
        return cls(share, process)

    @property
    def status(self) -> int | None:
        return self._process.returncode

    @property
    def failed(self) -> bool:
        return bool(self.status)

    def tell(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def leave(self) -> None:
        if self.status is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await asyncio.gather(self.told, return_exceptions=True)

    async def _document(self) -> dict[str, Any]:
        _, out = await asyncio.gather(self._pass_on(), self._read())
        await self._process.wait()
        document: dict[str, Any] = json.loads(out)["sources"] if out.strip() and not self.failed else {}
        return document

    async def _read(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 it is a pipe
        return await self._process.stdout.read()

    async def _pass_on(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 it is a pipe
        async for line in self._process.stderr:
            self.last_line = line.decode(errors="replace").strip() or self.last_line
            sys.stderr.write(line.decode(errors="replace"))
            sys.stderr.flush()
