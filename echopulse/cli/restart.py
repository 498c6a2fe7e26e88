"""`run --dev`: sources are watched, and a change restarts what it touches, nothing else."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import watchfiles

import schemas
from echopulse.job.cluster import FlinkCluster
from echopulse.job.environment import feast_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from echopulse.cli.run import Simulator
    from echopulse.settings import Settings

_ROOT = Path(schemas.__file__).parent.parent
_JOB_FOLDERS = ("schemas", "transforms", "features", "pipelines")
_SIMULATOR_FOLDERS = ("schemas", "echopulse/gateway")
_SUFFIXES = (".py", ".proto", ".avsc", ".yaml", ".jsonl", ".lua")
_SUBMIT_S = 300.0
_CANCEL_S = 60.0


def touched(changed: Iterable[Path], root: Path = _ROOT) -> tuple[bool, bool]:
    """Return whether changed files are part of the job, and of the simulator."""
    names = [
        path.relative_to(root).as_posix() for path in changed if path.suffix in _SUFFIXES and path.is_relative_to(root)
    ]

    def any_in(folders: tuple[str, ...]) -> bool:
        return any(name.startswith(f"{folder}/") for name in names for folder in folders)

    return any_in(_JOB_FOLDERS), any_in(_SIMULATOR_FOLDERS)


class Restarter:
    """Watches the sources in a thread; the owner restarts what changed when it has a moment."""

    def __init__(self, settings: Settings, *, enabled: bool, say: Callable[[str], None]) -> None:
        """Watch where `enabled`; `say` tells a person what is restarted."""
        self._settings = settings
        self._enabled = enabled
        self._say = say
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._changed: set[Path] = set()
        self._thread = threading.Thread(target=self._watch, name="sources", daemon=True)

    def __enter__(self) -> Self:
        """Start to watch."""
        if self._enabled:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._ended.set()

    def restart_changed(self, simulator: Simulator) -> None:
        """Restart what has changed since the last call: the job without its state, the simulator, or neither."""
        with self._lock:
            changed, self._changed = self._changed, set()
        job, sim = touched(changed)
        if job:
            self._say("sources of the job changed: applying the views and submitting it again")
            self._resubmit()
        if sim:
            self._say("sources of the simulator changed: restarting it")
            simulator.restart()

    def _resubmit(self) -> None:
        with FlinkCluster(self._settings.flink.rest) as cluster:
            for job in cluster.jobs():
                if job.state in {"RUNNING", "RESTARTING", "CREATED"}:
                    cluster.cancel(job.id, _CANCEL_S)
        for words in (("feature", "apply"), ("pipeline", "submit", "signals")):
            # A process of its own, because this one has the old sources in memory.
            done = subprocess.run(
                [sys.executable, "-m", "echopulse.cli.main", *words],
                env=feast_environment(self._settings),
                capture_output=True,
                text=True,
                timeout=_SUBMIT_S,
                check=False,
            )
            if done.returncode:
                self._say(f"{' '.join(words)}: {done.stderr.strip() or 'failed'}; mend it and save again")
                return
        self._say("the job runs on the new sources")

    def _watch(self) -> None:
        for changes in watchfiles.watch(
            *(_ROOT / name for name in (*_JOB_FOLDERS, "echopulse")), stop_event=self._ended
        ):
            with self._lock:
                self._changed |= {Path(path) for _, path in changes}
