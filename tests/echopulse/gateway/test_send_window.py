"""The window of bytes in flight."""

from __future__ import annotations

import asyncio

from echopulse.gateway.send_window import SendWindow


async def test_late_acknowledgements_cut_it_once_and_good_ones_open_it() -> None:
    """What was sent before a cut does not cut again."""
    now = 100.0
    window = SendWindow(0.2, lambda: now)
    start = window.limit
    for _ in range(3):
        await window.enter(1_000)
    for _ in range(3):
        window.leave(1_000, 1.0)
    assert window.limit == int(start * 0.7)
    now += 5
    await window.enter(1_000)
    window.leave(1_000, 1.0)
    low = window.limit
    assert low == int(int(start * 0.7) * 0.7)
    await window.enter(1_000_000)
    window.leave(1_000_000, 0.01)
    assert window.limit > low


async def test_what_is_over_waits() -> None:
    """A batch larger than the window goes alone."""
    window = SendWindow()
    await window.enter(window.limit * 2)
    second = asyncio.create_task(window.enter(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not second.done()
    window.leave(window.limit * 2, 0.0)
    await second
    assert window.in_flight == 1
