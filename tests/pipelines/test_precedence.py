"""Precedence in a worker: who waits, for whom, and how long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.precedence import Precedence

#: Longer than a test may take, in s, and shorter than can be noticed.
_LONG_S, _SHORT_S = 60.0, 0.05


def test_nobody_waits_where_nobody_writes() -> None:
    """Before the first write, and after the last."""
    precedence, began = Precedence(_LONG_S), time.monotonic()
    precedence.give_way()
    with precedence.writing():
        pass
    precedence.give_way()
    assert time.monotonic() - began < _LONG_S


def test_who_gives_way_waits_for_all_writes() -> None:
    """Two that overlap: the end of one is not enough."""
    precedence, order = Precedence(_LONG_S), list[str]()
    ends = [threading.Event(), threading.Event()]
    under_way = threading.Barrier(3)

    def write(name: str, end: threading.Event) -> None:
        with precedence.writing():
            under_way.wait()
            end.wait()
            order.append(name)

    def analyse() -> None:
        precedence.give_way()
        order.append("analysed")

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, name, end) for name, end in zip(("first", "second"), ends, strict=True)]
        under_way.wait()
        waiting = pool.submit(analyse)
        ends[0].set()
        writers[0].result()
        assert not waiting.done()
        ends[1].set()
        waiting.result(_LONG_S)
    assert order == ["first", "second", "analysed"]


def test_a_write_that_lasts_is_not_waited_for() -> None:
    """Neither by who came before the time was over nor by who comes after it."""
    precedence = Precedence(_SHORT_S)
    with precedence.writing():
        for _ in range(2):
            precedence.give_way()
        assert precedence.under_way
    assert not precedence.under_way


def test_a_write_that_fails_is_over() -> None:
    """Who gives way to it waits no longer."""
    precedence, began = Precedence(_LONG_S), time.monotonic()
    with pytest.raises(ConnectionError), precedence.writing():
        raise ConnectionError
    precedence.give_way()
    assert not precedence.under_way
    assert time.monotonic() - began < _LONG_S
