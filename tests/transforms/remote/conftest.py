"""The server that remote strategies are tested against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.transforms.remote.service import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Iterator[Service]:
    """A server that answers by the text."""
    with running() as started:
        yield started
