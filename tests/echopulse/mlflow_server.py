"""A real MLflow of a test's own, started as `up` starts it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from echopulse.settings import Settings
from echopulse.settings_sections import EmbeddedStack
from echopulse.stack import Stack, stack_settings
from echopulse.stack.mlflow import Mlflow
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def mlflow_running(home: Path) -> Iterator[Settings]:
    """Yield settings whose MLflow runs; the others of the stack do not."""
    settings = Settings(home=home, stack=EmbeddedStack(mlflow_port=free_port(), start_timeout_s=300))
    services = stack_settings(settings)
    with Stack(services, lambda _: None, [Mlflow(services)], jar_groups=()).bring_up():
        yield settings
