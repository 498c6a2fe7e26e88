"""Order, bounds and the policies of the way to Kafka."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echopulse.gateway.lane import SPOOL_FULL, Lane
from echopulse.gateway.outgoing import Batch, Outgoing, unpacked
from echopulse.gateway.receipt import SAFE, Receipt, Settlement, Verdict
from echopulse.gateway.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path


def _batch(*numbers: int, size: int = 100) -> Batch:
    return Batch([Outgoing("t", b"c", str(number).encode().rjust(size), number) for number in numbers])


def _numbers(batch: Batch | None) -> list[int]:
    assert batch is not None
    return [record.ts for record in batch.records]


@given(
    st.text(min_size=1),
    st.binary(),
    st.binary(),
    st.integers(-(2**63), 2**63 - 1),
    st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.binary())),
)
@settings(deadline=None)
def test_a_record_comes_back_as_it_was(
    topic: str, key: bytes, value: bytes, ts: int, headers: list[tuple[str, bytes]]
) -> None:
    """Through the spool's bytes."""
    record = Outgoing(topic, key, value, ts, tuple(headers))
    assert unpacked(record.packed()) == record


async def test_order_is_kept_across_memory_and_spool(tmp_path: Path) -> None:
    """While the spool holds anything, what is new goes behind it, though memory has room again."""
    spool = Spool(tmp_path, 100_000)
    lane = Lane(2, 10_000, spool)
    for number in range(5):
        await lane.offer(_batch(number))
    assert (lane.records, spool.unread) == (2, 3)
    first = await lane.take(9, 10_000)
    assert first is not None
    await lane.acknowledge(first)
    await lane.offer(_batch(5))
    assert spool.unread == 4
    second = await lane.take(9, 10_000)
    spooled = await lane.take(9, 10_000)
    assert _numbers(first) + _numbers(second) + _numbers(spooled) == [0, 1, 2, 3, 4, 5]
    await lane.offer(_batch(6))
    assert spool.unread == 1, "what is in flight from the spool is still before it"
    assert spooled is not None
    await lane.acknowledge(spooled)
    last = await lane.take(9, 10_000)
    assert _numbers(last) == [6]
    assert last is not None
    await lane.acknowledge(last)
    assert spool.empty
    await lane.offer(_batch(7))
    assert spool.unread == 0
    spool.close()


async def _waits(lane: Lane, batch: Batch) -> bool:
    offering = asyncio.create_task(lane.offer(batch))
    done, _ = await asyncio.wait({offering}, timeout=0.1)
    offering.cancel()
    await asyncio.gather(offering, return_exceptions=True)
    return not done


@pytest.mark.parametrize(("records", "size"), [(1, 10_000), (9, 150)])
async def test_without_a_spool_the_source_waits(records: int, size: int) -> None:
    """Bounded in records and in bytes, acknowledged ones no longer counted."""
    lane = Lane(records, size)
    await lane.offer(_batch(0))
    assert await _waits(lane, _batch(1))
    taken = await lane.take(9, 900)
    assert await _waits(lane, _batch(1)), "in flight is not yet gone"
    assert taken is not None
    await lane.acknowledge(taken)
    assert not await _waits(lane, _batch(1))


async def test_a_full_spool_blocks_or_drops_the_oldest(tmp_path: Path) -> None:
    """By the source's policy; what is dropped is counted with its reason."""
    blocked = Lane(1, 10_000, Spool(tmp_path / "a", 2_000))
    dropping = Lane(1, 10_000, Spool(tmp_path / "b", 2_000), "drop-oldest")
    for number in range(10):
        await blocked.offer(_batch(number))
    assert await _waits(blocked, _batch(*range(10, 40)))
    for number in range(40):
        await dropping.offer(_batch(number))
    dropped = dropping.dropped[SPOOL_FULL]
    memory, spooled = await dropping.take(9, 900), await dropping.take(99, 99_000)
    assert dropped > 0
    assert _numbers(memory) + _numbers(spooled) == [0, *range(1 + dropped, 40)]
    for lane in (blocked, dropping):
        assert lane.spool is not None
        lane.spool.close()


async def test_closed_it_hands_on_memory_and_keeps_the_spool(tmp_path: Path) -> None:
    """The next start finds it, without what Kafka has acknowledged."""
    spool = Spool(tmp_path, 100_000)
    lane = Lane(1, 10_000, spool)
    await lane.offer(_batch(0))
    await lane.offer(_batch(1))
    await lane.close()
    first = await lane.take(9, 900)
    assert _numbers(first) == [0]
    assert await lane.take(9, 900) is None
    assert first is not None
    await lane.acknowledge(first)
    lane.keep()
    assert _kept(tmp_path) == [1]


def _kept(folder: Path) -> list[int]:
    """What the next process finds in the spool."""
    spool = Spool(folder, 100_000)
    found = [unpacked(data).ts for _, data in spool.read(999, 100_000)]
    spool.close()
    return found


async def test_a_spool_in_use_holds_all_that_kafka_has_not(tmp_path: Path) -> None:
    """In order, what is in memory and in flight too: a process may die at any time."""
    spool = Spool(tmp_path, 100_000)
    lane = Lane(3, 10_000, spool)
    for number in range(5):
        await lane.offer(replace(_batch(number), resume=str(number)))
        assert lane.resume == ("" if number < 3 else str(number)), "all up to it is on disk"
        if number == 0:
            first = await lane.take(9, 10_000)
    assert spool.unread == 2
    spool._lock.close()  # as the death of a process does
    assert _kept(tmp_path) == [0, 1, 2, 3, 4]
    assert first is not None
    await lane.acknowledge(first)
    assert _kept(tmp_path) == [1, 2, 3, 4]
    assert lane.resume == "4"


async def test_the_place_to_resume_waits_for_kafka() -> None:
    """Without a spool, a frame is safe when Kafka has it."""
    lane = Lane(9, 10_000)
    await lane.offer(replace(_batch(0), resume="a"))
    await lane.offer(replace(_batch(1), resume="b"))
    assert lane.resume == ""
    first = await lane.take(9, 900)
    assert first is not None
    await lane.acknowledge(first)
    assert lane.resume == "a"


async def test_acknowledged_while_a_full_spool_is_waited_for(tmp_path: Path) -> None:
    """Its copy is not made any more, and the order stays."""
    lane = Lane(3, 10_000, Spool(tmp_path, 1_500))
    for number in range(3):
        await lane.offer(_batch(number, size=600))
    spilling = asyncio.create_task(lane.offer(_batch(3, size=600)))
    order: list[int] = []
    while len(order) < 4:
        taken = await lane.take(9, 10_000)
        assert taken is not None
        order += _numbers(taken)
        await lane.acknowledge(taken)
    await spilling
    assert order == [0, 1, 2, 3]
    lane.keep()
    assert _kept(tmp_path) == []


async def test_a_stop_keeps_the_order(tmp_path: Path) -> None:
    """What was taken or in memory goes before the spool, what found no room behind it; the bytes read before stay."""
    spool = Spool(tmp_path, 100_000)
    lane = Lane(2, 10_000, spool)
    for number in range(4):
        await lane.offer(_batch(number))
    for _ in range(3):
        taken = await lane.take(9, 10_000)
        assert taken is not None
        await lane.acknowledge(taken)
    assert spool.empty
    for number in range(4, 9):
        await lane.offer(_batch(number))
    first = await lane.take(9, 10_000)
    assert first is not None
    lane.keep([_batch(9)])
    again = Spool(tmp_path, 100_000)
    kept = again.read(99, 100_000)
    assert [unpacked(data).ts for _, data in kept] == [4, 5, 6, 7, 8, 9]
    again.acknowledge(kept[-1][0])
    assert again.empty
    again.close()


async def test_a_receipt_is_settled_when_kafka_has_it() -> None:
    """Not before; with the reason where Kafka refused it; at once where it gave no record."""
    lane = Lane(9, 10_000)
    receipts = [Receipt() for _ in range(3)]
    for number, receipt in enumerate(receipts[:2]):
        await lane.offer(replace(_batch(number), receipts=[receipt]))
    await lane.offer(Batch([], receipts=[receipts[2]]))
    assert await receipts[2].told(1) == SAFE
    with pytest.raises(TimeoutError):
        await receipts[0].told(0.01)
    for refused in ("", "too large"):
        taken = await lane.take(9, 10_000)
        assert taken is not None
        await lane.acknowledge(taken, refused)
    assert [await receipt.told(1) for receipt in receipts[:2]] == [SAFE, Settlement(Verdict.AGAIN, "too large")]


async def test_a_receipt_is_settled_when_the_synced_spool_has_it(tmp_path: Path) -> None:
    """Those of what is in memory with it."""
    lane = Lane(2, 10_000, Spool(tmp_path, 100_000, fsync="never"))
    receipts = [Receipt() for _ in range(4)]
    for number, receipt in enumerate(receipts):
        await lane.offer(replace(_batch(number), receipts=[receipt]))
    assert [await receipt.told(1) for receipt in receipts] == [SAFE] * 4
    lane.keep()
    assert _kept(tmp_path) == [0, 1, 2, 3]


async def test_a_stop_without_a_spool_settles_receipts_as_not_safe() -> None:
    """Who sent it sends it again."""
    lane, receipt = Lane(2, 10_000), Receipt()
    await lane.offer(replace(_batch(0), receipts=[receipt]))
    lane.keep()
    assert await receipt.told(1) == (Verdict.AGAIN, "the gateway was stopped before Kafka had it")
