from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from stamina.instrumentation import set_on_retry_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

# Time is a benchmark's business: a slow first call must not fail a property.
settings.register_profile("echopulse", deadline=None, print_blob=True)
settings.load_profile("echopulse")

# A shell that runs the tests in the background, or nohup, has these ignored, which children inherit; tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a server in one process: a file's, and those of the shared pipeline."""
    for item in items:
        shared = "signals" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("signals" if shared else item.path.name))


@pytest.fixture(autouse=True)
def retry_hooks() -> Iterator[None]:
    """Put back how the process speaks of retries by default: a function opened as in a Python worker changes it."""
    yield
    set_on_retry_hooks(None)
