"""Retries in a worker whose `print` is PyFlink's."""

from __future__ import annotations

import builtins
import logging

import pytest
import stamina
from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks

from features.machinery.connection import OnlineStoreSettings
from features.machinery.view_spec import Column, ViewSchema
from pipelines.functions import WriteOnline
from pipelines.retry_log import log_retries


def failing() -> None:
    """Fail as a store that is away does, and be tried again."""
    for attempt in stamina.retry_context(on=ConnectionError, attempts=3, wait_initial=0.01, wait_max=0.01):
        with attempt:
            raise ConnectionError("away")


def pyflinks_print(*_: object, sep: str = " ", end: str = "\n", file: object = None) -> None:
    """Take what the one of its worker takes."""
    del sep, end, file


def test_a_retry_is_a_line_in_the_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """And prints nothing, which would fail."""
    monkeypatch.setattr(builtins, "print", pyflinks_print)
    log_retries()
    with caplog.at_level(logging.WARNING), pytest.raises(ConnectionError):
        failing()
    lines = [record.getMessage() for record in caplog.records if record.name == "pipelines.retry_log"]
    assert [line.split(" in ")[0] for line in lines] == ["retry 1", "retry 2"]
    assert all(line.endswith("ConnectionError('away')") for line in lines)


def test_the_writer_of_a_worker_logs_so() -> None:
    """From when it is opened."""
    set_on_retry_hooks([])
    view = ViewSchema("talk", (Column("channel_id", "string"),), (Column("n", "int64"),), 0)
    writer = WriteOnline(view, OnlineStoreSettings())
    writer.open(None)
    assert len(get_on_retry_hooks()) == 1
    writer.close()
