"""A process beside a Python worker, which gives way to all others: for what must not keep the worker's rows waiting."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_NICENESS = 10
_TIMEOUT_S = 120


class Aside:
    """One process for all who entered; it begins with the first and ends when the last has left, or with the worker."""

    def __init__(self, module: str) -> None:
        """Keep the name of a module that is loaded before the process is asked for anything."""
        self._module = module
        self._pool: ProcessPoolExecutor | None = None
        self._inside = 0
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Begin the process, where nobody has."""
        with self._lock:
            self._inside += 1
            if self._pool is None:
                # Spawned: a fork of a worker would hold its threads' locks.
                self._pool = ProcessPoolExecutor(
                    1, mp_context=get_context("spawn"), initializer=_begin, initargs=(self._module,)
                )
                # It is begun by what it is first asked: loading takes seconds, which are spent before there are rows.
                self._pool.submit(os.getpid)

    def leave(self) -> None:
        """End the process, where all others have left."""
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._pool is not None:
                self._pool.shutdown(cancel_futures=True)
                self._pool = None

    def ask(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 - what the function takes and gives
        """Return what a function, named by module and name, says.

        Raises what it raises, TimeoutError where it takes minutes, and RuntimeError where nobody has entered.
        """
        if self._pool is None:
            message = f"{function} was asked for before open()"
            raise RuntimeError(message)
        return self._pool.submit(_call, function, *arguments).result(timeout=_TIMEOUT_S)


def _call(function: str, *arguments: Any) -> Any:  # noqa: ANN401 - as above
    module, _, name = function.rpartition(".")
    return getattr(import_module(module), name)(*arguments)


def _begin(module: str) -> None:
    """Take the processor only where no other wants it, and end with the worker, also where that is killed."""
    os.nice(_NICENESS)
    if (worker := parent_process()) is not None:
        threading.Thread(target=_end_with, args=(worker,), daemon=True).start()
    import_module(module)


def _end_with(worker: BaseProcess) -> None:
    worker.join()
    os._exit(0)
