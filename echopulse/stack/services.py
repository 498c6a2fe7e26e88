"""Which services a stack consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.stack.flink import JobManager, TaskManager
from echopulse.stack.kafka import Kafka
from echopulse.stack.mlflow import Mlflow
from echopulse.stack.s3 import S3
from echopulse.stack.valkey import Valkey

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import LateSpec, ServiceSpec


def specs(settings: StackSettings) -> tuple[ServiceSpec, ...]:
    """Return the services that start together, in the order people read them."""
    return (Kafka(settings), JobManager(settings), TaskManager(settings), Valkey(settings), S3(settings))


def late_specs(settings: StackSettings) -> tuple[LateSpec, ...]:
    """Return the services that join once the others are in use: no event waits for them."""
    return (Mlflow(settings),) if settings.mlflow else ()
