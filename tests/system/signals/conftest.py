"""One running pipeline for all tests that replay, poison or crash it: it costs a minute to bring up."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from features.machinery.feast_repo import declarations
from features.machinery.from_feast import from_feast
from tests.system.own_stack import left_running, own_settings
from tests.system.planner import planner_ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from echopulse.job.launch import Pipeline
    from echopulse.job.replay_run import ReplayRun
    from echopulse.settings import Settings
    from features.machinery.view_spec import CompiledView, ViewSpec

_SLIDE_MS = 300_000
_HISTORY_MS = 6 * 3_600_000


class Timeline:
    """Event times for one test after the other: a job has one watermark, so time only goes forward in it.

    All of them are hours ago, where neither the wall clock nor the broker's limits touch them.
    """

    def __init__(self) -> None:
        """Begin some hours ago."""
        self._next_ms = (time.time_ns() // 1_000_000 - _HISTORY_MS) // _SLIDE_MS * _SLIDE_MS

    def take(self, minutes: int) -> int:
        """Return the start, in ms UTC, of so many minutes that nobody else has; they begin and end with a slide.

        One slide after them is free: the watermark that tells their last silences is past their end.
        """
        start = self._next_ms
        self._next_ms += (-(-minutes * 60_000 // _SLIDE_MS) + 1) * _SLIDE_MS
        return start


@dataclass(frozen=True)
class Signals:
    """The running job with what a test needs of it."""

    settings: Settings
    running: Pipeline
    views: list[CompiledView]
    specs: list[ViewSpec]
    timeline: Timeline

    @property
    def bootstrap(self) -> str:
        """Where Kafka is."""
        return self.settings.kafka.bootstrap

    def replay(self, path: Path) -> ReplayRun:
        """Send a file through the job at full speed, with its own times, and wait until its windows have fired."""
        from echopulse.job.replay_run import run_replay  # noqa: PLC0415 - only where these tests are run

        return run_replay(
            self.settings,
            self.running,
            self.views,
            path,
            rate=None,
            keep_time=True,
            mapping={},
            on_progress=lambda _: None,
            on_step=lambda _: None,
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of the shared pipeline come last, alone, and its crashes last of all."""
    items.sort(key=lambda item: ("signals" in getattr(item, "fixturenames", ()), "crash" in item.name))


_OPEN = pytest.StashKey[ExitStack]()


@contextmanager
def _pipeline(home: Path, root: Path) -> Iterator[Signals]:
    """Bring up the pipeline, and see that its end leaves nothing."""
    from echopulse.job.launch import pipeline  # noqa: PLC0415 - only where these tests are run
    from features.machinery.catalog import compiled_views  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ECHOPULSE_")]:
            patch.delenv(name)
        settings, repo = own_settings(home), root / "features"
        with ExitStack() as opened:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyFlink and Feast warn of their own deprecated parts as they load
                opened.enter_context(planner_ended())
                running = opened.enter_context(pipeline(settings, lambda _: None, lambda _: None))
                specs = [from_feast(view) for view in declarations(repo).stream_feature_views]
            yield Signals(settings, running, compiled_views(repo, settings.home), specs, Timeline())
        assert left_running(settings.home) == []


@pytest.fixture(scope="session")
def signals(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Signals:
    """Return the running pipeline; the teardown of the last test that has it ends it."""
    opened = request.session.stash[_OPEN] = ExitStack()
    return opened.enter_context(_pipeline(tmp_path_factory.mktemp("signals") / "home", request.config.rootpath))


@pytest.hookimpl(trylast=True)  # behind the teardown of fixtures that use it
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the pipeline before tests that do not share it: in a process of several groups they may follow."""
    if _OPEN in item.session.stash and "signals" not in getattr(nextitem, "fixturenames", ()):
        opened = item.session.stash[_OPEN]
        del item.session.stash[_OPEN]
        opened.close()
