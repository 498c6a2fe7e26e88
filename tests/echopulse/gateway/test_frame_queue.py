"""The bounded queue: frames, bytes, closing."""

from __future__ import annotations

import asyncio

from echopulse.gateway.burst import Burst, datas_of
from echopulse.gateway.connector import Arrival
from echopulse.gateway.frame_queue import FrameQueue


def _frame(size: int) -> Arrival:
    return Arrival(b"x" * size)


async def _fits(queue: FrameQueue, size: int) -> bool:
    putting = asyncio.create_task(queue.put(_frame(size)))
    for _ in range(5):
        await asyncio.sleep(0)
    fitted = putting.done()
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    return fitted


async def test_frames_are_bounded() -> None:
    """The third waits for room."""
    queue = FrameQueue(2, 1_000)

    assert [await _fits(queue, 1) for _ in range(3)] == [True, True, False]
    assert len(await queue.take(1, 0)) == 1
    assert await _fits(queue, 1)


async def test_bytes_are_bounded_but_one_frame_always_fits() -> None:
    """A frame larger than the bound has the queue to itself."""
    queue = FrameQueue(10, 100)

    assert await _fits(queue, 500)
    assert not await _fits(queue, 1)
    assert [len(frame.data) for frame in await queue.take(5, 0)] == [500]
    assert [await _fits(queue, 60) for _ in range(2)] == [True, False]


async def test_take_waits_for_the_first_frame() -> None:
    """And gives all that wait, in order."""
    queue = FrameQueue(10, 100)
    taking = asyncio.create_task(queue.take(5, 0))
    await asyncio.sleep(0)
    assert not taking.done()

    await queue.put(_frame(1))
    await queue.put(_frame(2))

    assert [len(frame.data) for frame in await taking] in ([1], [1, 2])


async def test_a_closed_queue_gives_what_it_holds_then_nothing() -> None:
    """Nothing received is lost at the end."""
    queue = FrameQueue(10, 100)
    await queue.put(_frame(1))
    queue.close()

    assert len(await queue.take(5, 60)) == 1
    assert list(await queue.take(5, 60)) == []


async def test_of_several_as_many_are_put_as_have_room() -> None:
    """By number and by bytes; the first waits as one alone does."""
    queue = FrameQueue(4, 100)
    assert await queue.put_some([_frame(1) for _ in range(9)]) == 4
    waiting = asyncio.create_task(queue.put_some([_frame(40), _frame(40), _frame(40)]))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert len(await queue.take(3, 0)) == 3
    assert await waiting == 2
    assert queue.bytes == 81
    assert [len(frame.data) for frame in await queue.take(9, 0)] == [1, 40, 40]
    assert queue.bytes == 0


async def test_the_last_ones_are_put_beyond_the_bounds() -> None:
    """They are counted, and leave as all others do."""
    queue = FrameQueue(1, 10)
    queue.put_beyond([_frame(20), _frame(30)])
    assert (len(queue), queue.bytes) == (2, 50)
    assert [len(frame.data) for frame in await queue.take(1, 0)] == [20]
    assert queue.bytes == 30


async def test_a_burst_is_parted_where_the_bounds_do() -> None:
    """And put together again, in order, with the place behind its last frame."""
    queue = FrameQueue(4, 100)
    burst = Burst([b"%d" % number for number in range(9)], "9")
    assert await queue.put_some(burst) == 4
    taken = await queue.take(3, 0)
    assert (datas_of(taken), isinstance(taken, Burst)) == ([b"0", b"1", b"2"], True)
    assert await queue.put_some(burst[4:]) == 3
    queue.put_beyond(burst[7:])
    assert [frame.resume for frame in queue.rest()] == ["", "", "", "", "", "9"]
    rest = await queue.take(9, 0)
    assert isinstance(rest, Burst)
    assert (rest.datas, rest.resume, queue.bytes, len(queue)) == (burst.datas[3:], "9", 0, 0)


async def test_take_does_not_linger_once_there_is_enough() -> None:
    """Though it would wait a minute for less; a closed queue gives at once what it has."""
    queue = FrameQueue(10, 100)
    await queue.put(_frame(1))
    taking = asyncio.create_task(queue.take(2, 60))
    await asyncio.sleep(0.01)
    assert not taking.done()
    await queue.put(_frame(2))
    async with asyncio.timeout(30):
        assert len(await taking) == 2
        await queue.put(_frame(3))
        taking = asyncio.create_task(queue.take(2, 60))
        await asyncio.sleep(0.01)
        queue.close()
        assert len(await taking) == 1
