from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from echopulse.settings import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

# Time is a benchmark's business: a slow first call must not fail a property.
settings.register_profile("echopulse", deadline=None, print_blob=True)
settings.load_profile("echopulse")

# A shell that runs the tests in the background has SIGINT ignored, and children inherit that; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_variables() -> Iterator[None]:
    """Take back the settings' variables that a test leaves: opening a Feast store sets some for its process."""
    before = _ours()
    yield
    for name in _ours().keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper().startswith(ENV_PREFIX)}
