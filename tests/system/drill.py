"""A stack with a registry and Airflow for the drill, `echopulse` commands against it, and how long each step took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from echopulse.settings import load
from tests.ports import free_ports
from tests.system.own_stack import PORTS, PORTS_ABOVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from echopulse.settings import Settings

ROOT = Path(__file__).parents[2]
#: Airflow's web page with two ports above it, and the watcher's metrics.
_AIRFLOW_PORTS = 3
_COMMAND_S, _ENDS_S = 120, 60
#: What the drill's models are trained for, and its DAG by default.
TASKS = ("sentiment", "toxicity")
_POLL_S = 0.3

#: The gates of the drill are lenient about worth, since it trains for seconds on a part of the texts.
_GATES = {
    "quality": {"split": "val", "margin": 10, "floor": 35},
    "calibration": {"split": "val", "ceiling": 0.4},
    "latency": {"texts": 256, "ceiling_ms": 10_000},
    "size": {"ceiling_mib": 128},
}


@dataclass
class Drill:
    """A folder with settings of its own, and the wall time of each step."""

    folder: Path
    settings: Settings
    steps: list[tuple[str, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def environment(self) -> dict[str, str]:
        """What commands run with: the settings' file alone tells them where everything is."""
        others = {key: value for key, value in os.environ.items() if not key.startswith("ECHOPULSE_")}
        # The home is in the file, too; in the environment it is the mark by which what is left running is found.
        return others | {"PYTHONPATH": str(ROOT), "ECHOPULSE_HOME": str(self.settings.home)}

    def step(self, what: str) -> None:
        """Note that something has been reached."""
        self.steps.append((what, time.monotonic() - self.began))

    @property
    def timings(self) -> str:
        """What was reached when, a line each."""
        return "\n".join(f"{seconds:6.1f} s  {what}" for what, seconds in self.steps)

    def echopulse(self, *arguments: str, **changed: str) -> dict[str, Any]:
        """Run a command to its end and return its document."""
        done = subprocess.run(
            [sys.executable, "-m", "echopulse.cli.main", *arguments, "--json"],
            env=self.environment | changed,
            cwd=self.folder,
            timeout=_COMMAND_S,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Running]:
        """Run a command beside the test; it is ended by SIGINT at the latest at the end of the block."""
        with self._started([sys.executable, "-m", "echopulse.cli.main", *arguments, "--json"], arguments[0]) as started:
            yield started

    @contextmanager
    def airflow(self) -> Iterator[Running]:
        """Run what `make airflow` runs."""
        command = [sys.executable, str(ROOT / "infra" / "airflow_service.py")]
        with self._started(command, "airflow") as started:
            yield started

    @contextmanager
    def _started(self, command: list[str], name: str) -> Iterator[Running]:
        out, err = (self.folder / f"{name}-{len(self.steps)}.{kind}" for kind in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
        started = Running(name, process, out, err)
        try:
            yield started
        finally:
            started.end()

    def until(self, what: str, holds: Callable[[], bool], seconds: float, *watched: Running) -> None:
        """Wait until something holds, and note it; what runs beside may not end meanwhile."""
        deadline = time.monotonic() + seconds
        while not holds():
            for each in watched:
                assert each.process.poll() is None, f"{each.name} ended: {each.told}"
            told = [self.timings, *(each.told for each in watched)]
            assert time.monotonic() < deadline, "\n".join([f"not within {seconds} s: {what}", *told])
            time.sleep(_POLL_S)
        self.step(what)


@dataclass(frozen=True)
class Running:
    """A process that a drill started, and the files that it writes into."""

    name: str
    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def told(self) -> str:
        """The end of what it said on stderr."""
        return self.err.read_text(encoding="utf-8", errors="replace")[-4_000:]

    def end(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_ENDS_S)
            raise

    def document(self) -> dict[str, Any]:
        """End it, and return what it says last."""
        self.end()
        assert self.process.returncode == 0, self.told
        document: dict[str, Any] = json.loads(self.out.read_bytes())
        return document


def prepared(folder: Path) -> Drill:
    """Write settings into a folder: ports of the drill's own, small panes, champions by timelines, shadow."""
    count = len(PORTS) + PORTS_ABOVE
    ports = free_ports(count + _AIRFLOW_PORTS + 1)
    stack = dict(zip(PORTS, ports, strict=False)) | {"airflow_port": ports[count], "start_timeout_s": 300}
    home = folder / "home"
    document = {
        "home": str(home),
        "stack": stack,
        "flink": {"checkpoint_interval_ms": 1_000},
        "job": {"idle_timeout_ms": 24 * 3_600_000},
        "crowd": {"enabled": False},
        "training_data": str(folder / "data"),
        "registry": {"gates": str(folder / "gates.yaml")},
        "strategy_options": {task: {"timeline": str(home / "models")} for task in TASKS},
        "shadow": {task: ["challenger"] for task in TASKS},
        "drift": {
            "pane_events": 200,
            "baseline_panes": 10,
            "vocabulary_texts": 1_000,
            "metrics_port": ports[count + _AIRFLOW_PORTS],
        },
    }
    (folder / "echopulse.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    gates = _GATES | {"shadow_agreement": {"events": 500, "least": 0.5}}
    # Nobody can be held against a champion that is not there.
    for name, each in (("first_gates.yaml", _GATES), ("gates.yaml", gates)):
        (folder / name).write_text(yaml.safe_dump(dict.fromkeys(TASKS, each)), encoding="utf-8")
    return Drill(folder, load(folder / "echopulse.yaml"))


def samples(port: int, name: str, **labels: str) -> list[float]:
    """Return the values of a metric with these labels; none where nothing answers yet."""
    try:
        lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text.splitlines()
    except httpx.HTTPError:
        return []
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    found = [line for line in lines if line.startswith(f"{name}{{") and all(each in line for each in wanted)]
    return [float(line.rpartition(" ")[2]) for line in found]
