from __future__ import annotations

import signal
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from stamina.instrumentation import set_on_retry_hooks
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer  # type: ignore[import-untyped]

# Time is a benchmark's business: a slow first call must not fail a property.
settings.register_profile("echopulse", deadline=None, print_blob=True)
settings.load_profile("echopulse")

# A shell that runs the tests in the background, or nohup, has these ignored, which children inherit; tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class OneServerOneProcess(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Gives a process whole files, and to one of them all files that share the running pipeline."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(nodeid.partition("::")[0])
        return str(file.parent if file.parent.name == "signals" else file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Return how tests are shared out where they start servers (`--dist loadscope`), None for xdist's own way."""
    return OneServerOneProcess(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.fixture(autouse=True)
def retry_hooks() -> Iterator[None]:
    """Put back how the process speaks of retries by default: a function opened as in a Python worker changes it."""
    yield
    set_on_retry_hooks(None)
