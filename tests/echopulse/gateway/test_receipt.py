"""The promise behind an arrival."""

from __future__ import annotations

import asyncio

import pytest

from echopulse.gateway.receipt import SAFE, Receipt, Settlement, Verdict


async def test_what_is_settled_first_stays() -> None:
    """Also for who asks later, and more than once."""
    receipt = Receipt()
    receipt.settle(Verdict.AGAIN, "Kafka refused it")
    receipt.settle()
    expected = Settlement(Verdict.AGAIN, "Kafka refused it")
    assert [await receipt.told(1), await receipt.told(1)] == [expected, expected]
    assert not expected.safe


async def test_a_verdict_has_a_reason_of_its_own() -> None:
    """Where none is given; what is safe needs none."""
    fast, safe = Receipt(), Receipt()
    fast.settle(Verdict.TOO_FAST)
    safe.settle()
    assert await fast.told(1) == (Verdict.TOO_FAST, "more than the source's rate")
    assert await safe.told(1) == SAFE
    assert SAFE.safe


async def test_one_that_is_not_settled_in_time() -> None:
    """It can still be afterwards."""
    receipt = Receipt()
    with pytest.raises(TimeoutError):
        await receipt.told(0.01)
    receipt.settle()
    assert (await receipt.told(1)).safe


async def test_who_waits_can_be_cancelled() -> None:
    """Even in the moment in which the receipt is settled; the receipt itself is not cancelled."""
    receipt = Receipt()
    waiting = asyncio.create_task(receipt.told(10))
    await asyncio.sleep(0)
    receipt.settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await receipt.told(1)).safe
