"""What every test of the command, the gateway and the job may use: a broker in the process, logging put back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from confluent_kafka import Producer

from tests.echopulse.mlflow_server import mlflow_running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from echopulse.settings import Settings

_DEADLINE_S = 30


@pytest.fixture(autouse=True)
def _logging_put_back() -> Iterator[None]:
    """Undo what a command sets up for its process: the handlers hold this test's stderr."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """Yield the address of a broker that lives as long as the test (librdkafka's, for client tests)."""
    owner = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
    broker = next(iter(owner.list_topics(timeout=_DEADLINE_S).brokers.values()))
    yield f"{broker.host}:{broker.port}"
    owner.close()


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Yield settings whose MLflow runs, one for all tests: it takes half a minute to come up."""
    with mlflow_running(tmp_path_factory.mktemp("mlflow") / "home") as settings:
        yield settings
