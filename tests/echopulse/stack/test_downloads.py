"""The downloads of one start."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from echopulse.stack import downloads
from echopulse.stack.downloads import CancelledError, Downloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.stack.jars import JarGroup
    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import ServiceState

    from .conftest import Repository


@pytest.fixture
def group(repository: Repository, group_of: Callable[..., JarGroup], monkeypatch: pytest.MonkeyPatch) -> JarGroup:
    """Make the lock hold one group with one jar of 3 MB."""
    group = group_of(repository.publish("org.example:part:1", b"x" * 3_000_000))
    monkeypatch.setattr(downloads, "read_lock", lambda: {"test": group})
    monkeypatch.setattr(downloads, "group_named", lambda _: group)
    return group


@pytest.mark.usefixtures("group")
def test_two_who_wait_cause_one_download(stack_settings: StackSettings) -> None:
    """Both get the same paths; the bytes are reported on the way and never beyond the size."""
    seen: list[ServiceState] = []
    wanted = Downloads(stack_settings, seen.append, threading.Event())
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(wanted.ensure, ["test", "test"])
    assert first == second
    assert [state.phase for state in seen].count("ready") == 1
    assert seen[-1].detail == "3.0 of 3.0 MB"
    assert seen[-1].name == "jars test"


@pytest.mark.usefixtures("group")
def test_a_cached_group_is_silent(stack_settings: StackSettings) -> None:
    """Nothing is told where nothing is fetched."""
    seen: list[ServiceState] = []
    Downloads(stack_settings, lambda _: None, threading.Event()).ensure("test")
    Downloads(stack_settings, seen.append, threading.Event()).ensure("test")
    assert seen == []


@pytest.mark.usefixtures("group")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # jgo leaves its socket to the collector
def test_a_download_is_cut_short(stack_settings: StackSettings) -> None:
    """Once another service has failed, the download ends and keeps nothing."""
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(CancelledError):
        Downloads(stack_settings, lambda _: None, cancelled).ensure("test")
    assert list(stack_settings.jars.iterdir()) == []
    gc.collect()  # here rather than in the middle of another test
