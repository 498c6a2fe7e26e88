"""A service that joins a running stack on a thread of its own: installed, started and watched, and never waited for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from echopulse.stack.processes import own_record
from echopulse.stack.run_file import Absence
from echopulse.stack.service import Service, ServiceError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import LateSpec, ServiceState

_END_S = 90.0


class LateService:
    """One service that joins later. What goes wrong with it is reported and told by `status`; nothing is raised."""

    def __init__(
        self,
        spec: LateSpec,
        settings: StackSettings,
        report: Callable[[ServiceState], None],
        enter: Callable[[Service | None], bool],
    ) -> None:
        """Prepare it; `enter` starts and describes a service in the running stack, and is False where that is over."""
        self.spec = spec
        self.service = Service(spec, settings, report)
        self._home = settings.home
        self._enter = enter
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def absence(self) -> Absence | None:
        """Why it has no process, None before `join` and while it has one."""
        if self.service.entry or self._thread is None:
            return None
        return Absence(self.spec.name, self.service.state.phase, self.service.state.detail, own_record(self._home))

    def join(self) -> None:
        """Begin to install and start it; a second call changes nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"stack-{self.spec.name}", daemon=True)
            self._thread.start()

    def watch(self) -> None:
        """Report it once where it was ready and has ended."""
        if self.service.state.phase == "ready":
            self._reported(self.service.check)

    def cancel(self) -> None:
        """Break off what `join` began and wait until that has ended; the service itself is stopped by the stack."""
        self._cancelled.set()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self) -> None:
        self._reported(self._bring_up)

    def _bring_up(self) -> None:
        silent = "nothing answers at its address yet"
        if missing := self.spec.missing:
            self.service.announce("fetching", f"being installed ({missing}); {silent}")
        else:
            self.service.announce("starting", silent)
        if not self._enter(None):
            return
        self.spec.prepare(self._cancelled)
        if not self._cancelled.is_set() and self._enter(self.service):
            self.service.wait_ready(self._cancelled)

    def _reported(self, step: Callable[[], None]) -> None:
        try:
            step()
        except ServiceError:
            return  # it has announced itself, with the end of its log
        except EchoPulseError as error:
            if not self._cancelled.is_set():
                self.service.announce("failed", str(error).removeprefix(f"{self.spec.name}: "))
                self._described()

    def _described(self) -> None:
        try:
            self._enter(None)
        except EchoPulseError as error:
            # The run file cannot be written: the services themselves go on, and `check` reads the old one.
            self.service.announce("failed", f"{self.service.state.detail}; `status` does not know: {error}")
