"""The stack as a whole: its services started side by side, watched, and stopped together."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Self

from echopulse.stack import run_file
from echopulse.stack.downloads import Downloads
from echopulse.stack.flink_leftovers import clear_leftovers
from echopulse.stack.jars import FLINK_JOB, JAVA_COMPILER
from echopulse.stack.late import LateService
from echopulse.stack.preflight import check_disk, check_ports, refuse_second
from echopulse.stack.service import Service
from echopulse.stack.services import late_specs, specs
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from echopulse.stack.run_file import RunEntry
    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import LateSpec, ServiceSpec, ServiceState

#: Longer than another process needs to stop every service.
_DOWN_PATIENCE_S = 60.0
_STOPPED = "the stack was stopped by `echopulse down`"


class Stack:
    """A running stack. Use `Stack.start`, `join` once it is in use, `check` now and then, and `down` (or `with`)."""

    def __init__(
        self,
        settings: StackSettings,
        report: Callable[[ServiceState], None],
        services: Iterable[ServiceSpec] | None = None,
        jar_groups: Sequence[str] = (FLINK_JOB, JAVA_COMPILER),
        late: Iterable[LateSpec] | None = None,
    ) -> None:
        """Prepare a stack of `services` and jars that jobs need, and of those that `join`; nothing is started yet.

        Without `services` both are the settings'.
        """
        self.settings = settings
        self._jar_groups = jar_groups
        self._cancelled = threading.Event()
        self._run_file_lock = threading.Lock()
        self._downloads = Downloads(settings, report, self._cancelled)
        self.services: dict[str, Service] = {
            spec.name: Service(spec, settings, report) for spec in (specs(settings) if services is None else services)
        }
        if late is None:
            late = late_specs(settings) if services is None else ()
        self._first = tuple(self.services.values())
        self._late = tuple(LateService(spec, settings, report, self._enter) for spec in late)
        self.services |= {each.spec.name: each.service for each in self._late}

    @classmethod
    def start(cls, settings: StackSettings, on_progress: Callable[[ServiceState], None] = lambda _: None) -> Self:
        """Start all services side by side and return when each is ready; `on_progress` is called from their threads.

        Raises EchoPulseError where a stack of this home runs already, a port is taken, the disk is full, a jar cannot
        be had, or a service crashes or is not ready in time; what was started until then is stopped again.
        """
        return cls(settings, on_progress).bring_up()

    def bring_up(self) -> Self:
        """Start what the stack was prepared with, as `start` says; returns the stack itself."""
        settings = self.settings
        check_disk(settings.home)
        check_disk(settings.cache)
        with run_file.locked(settings.run):
            refuse_second(settings.run)
            run_file.remove(settings.run)  # what is left in it has ended
            check_ports(service.spec for service in self.services.values())
            clear_leftovers(settings.data("flink"))
            try:
                self._start_all()
            except BaseException:
                # Also for Ctrl-C: nothing that this call started may stay behind.
                self._stop_all()
                raise
        return self

    def join(self) -> None:
        """Begin to install and start the services that join later, and return at once.

        What becomes of each is reported like the others'; one that fails is left out, and the stack goes on.
        """
        for each in self._late:
            each.join()

    @property
    def addresses(self) -> dict[str, str]:
        """Where a client finds each service, by name, also one that has yet to join."""
        return {name: service.spec.address for name, service in self.services.items()}

    def service(self, name: str) -> Service:
        """Return one service; raises EchoPulseError naming the nearest one."""
        if name not in self.services:
            raise EchoPulseError(f"no service '{name}' in the stack", did_you_mean(name, self.services))
        return self.services[name]

    def check(self) -> None:
        """Raise ServiceError naming the first service that has ended, with the end of its log.

        Raises plain EchoPulseError where `echopulse down` stopped the stack from elsewhere. One that joined later and
        has ended is reported, no more.
        """
        if not self._is_described(self._entries()):
            raise EchoPulseError(_STOPPED)
        for service in self._first:
            service.check()
        for each in self._late:
            each.watch()

    def restart(self, name: str) -> None:
        """Stop what is left of a service and start it again with the same configuration; returns when it is ready.

        A restarted JobManager has forgotten its jobs: an embedded cluster keeps no job graphs.
        """
        service = self.service(name)
        service.stop()
        self._bring_up(service)

    def down(self) -> None:
        """Stop every service and remove the run file; twice is as good as once."""
        for each in self._late:
            each.cancel()
        with run_file.locked(self.settings.run, _DOWN_PATIENCE_S):
            self._stop_all()

    def __enter__(self) -> Self:
        """Return the stack itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the stack.

        Where `echopulse down` has done so from elsewhere, that is why a service did not answer, and said instead.
        """
        stopped = isinstance(error, EchoPulseError) and not self._is_described(self._entries())
        self.down()
        if stopped:
            raise EchoPulseError(_STOPPED) from error

    def _start_all(self) -> None:
        # One thread per service, and one per group of jars that only a job needs. No service waits for another one:
        # the TaskManager itself retries until the JobManager is there.
        pool = ThreadPoolExecutor(len(self._first) + len(self._jar_groups), thread_name_prefix="stack")
        try:
            pending: list[Future[object]] = [pool.submit(self._bring_up, each) for each in self._first]
            pending += [pool.submit(self._downloads.ensure, group) for group in self._jar_groups]
            done, _ = wait(pending, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            self._cancelled.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _bring_up(self, service: Service) -> None:
        for group in service.spec.jar_groups:
            self._downloads.ensure(group)
        if self._cancelled.is_set():
            return
        service.launch()
        self._write_run_file()
        service.wait_ready(self._cancelled)

    def _enter(self, service: Service | None) -> bool:
        """Start a service that joins and describe it, or describe anew why one is absent; False after a `down`."""
        # Whoever stops the stack holds the lock, and removes the file first.
        with run_file.locked(self.settings.run, _DOWN_PATIENCE_S):
            if not self._is_described(self._entries()):
                return False
            if service is not None:
                service.launch()
            self._write_run_file()
        return True

    def _entries(self) -> list[RunEntry]:
        return [entry for each in self.services.values() if (entry := each.entry)]

    def _write_run_file(self) -> None:
        with self._run_file_lock:
            absent = [absence for each in self._late if (absence := each.absence)]
            run_file.write(self.settings.run, self._entries(), absent, self.settings.told)

    def _is_described(self, entries: list[RunEntry]) -> bool:
        described = run_file.read(self.settings.run)
        return any(entry in described for entry in entries)

    def _stop_all(self) -> None:
        entries = self._entries()
        with ThreadPoolExecutor(len(self.services)) as pool:
            endings = [pool.submit(service.stop) for service in self.services.values()]
        # After a `down` from elsewhere the file may be that of a newer stack.
        if self._is_described(entries):
            run_file.remove(self.settings.run)
        for ending in endings:
            ending.result()
