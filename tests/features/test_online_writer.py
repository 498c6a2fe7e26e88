"""The online writer against a real server: newest wins, whatever the order, and a server that goes away comes back."""

from __future__ import annotations

import pickle
import threading
import time
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest
from features.machinery.redis_format import entity_keys, timestamp_field
from features.machinery.script_calls import ROWS_ENCODED
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    import redis

    from features.machinery.view_spec import ViewSchema
    from tests.features.conftest import Valkey

START_MS = 1_760_000_000_000
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=30)


def batch(rows: list[tuple[str, int]], first: int = 0) -> pa.RecordBatch:
    """Rows of (channel, time step), numbered in the column n from `first`."""
    channels, steps = zip(*rows, strict=True)
    return pa.record_batch(
        {
            "channel_id": list(channels),
            "n": pa.array(range(first, first + len(rows)), pa.int64()),
            "x": pa.array([float(step) for step in steps]),
            "word": list(channels),
            "event_timestamp": pa.array([START_MS + step for step in steps], pa.timestamp("ms", "UTC")),
        }
    )


def stored(client: redis.Redis, view: ViewSchema) -> dict[str, tuple[float, int]]:
    """The (x, n) that the store holds for each channel that has a row."""
    rows = read_latest(client, "echopulse", view, [(name,) for name in "abc"], now_ms=START_MS).to_pylist()
    return {row["channel_id"]: (row["x"], row["n"]) for row in rows if row["event_timestamp"]}


@pytest.fixture
def writer(valkey: str) -> OnlineWriter:
    """A writer whose calls carry three rows each."""
    return OnlineWriter(OnlineStoreSettings(valkey, rows_per_call=3))


@given(st.lists(ROWS, min_size=1, max_size=4))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_newest_row_wins_and_of_equals_the_last(
    client: redis.Redis, writer: OnlineWriter, view: ViewSchema, batches: list[list[tuple[str, int]]]
) -> None:
    """After any batches, each channel holds its last row among those with its newest time."""
    client.flushall()
    expected: dict[str, tuple[float, int]] = {}
    number = 0
    for rows in batches:
        writer.write(view, batch(rows, number))
        for channel, step in rows:
            if channel not in expected or step >= expected[channel][0]:
                expected[channel] = (float(step), number)
            number += 1
    assert stored(client, view) == expected


def test_the_count_is_of_rows_that_were_new_enough(client: redis.Redis, writer: OnlineWriter, view: ViewSchema) -> None:
    """An older row is left out, an equally new one is written."""
    del client
    assert writer.write(view, batch([("a", 5), ("b", 5)])) == 2
    assert writer.write(view, batch([("a", 4), ("b", 5)])) == 1
    assert writer.write(view, batch([("a", 0)]).slice(0, 0)) == 0


def test_a_batch_that_does_not_fit_leaves_nothing_behind(
    client: redis.Redis, writer: OnlineWriter, view: ViewSchema
) -> None:
    """All of it is looked at before the first row is sent, though it is encoded a slice at a time."""
    names = [f"channel-{number}" for number in range(2 * ROWS_ENCODED)]
    rows = batch([(name, 1) for name in names])
    place = rows.schema.get_field_index("channel_id")
    columns = [pa.array([*names[:-1], None]) if i == place else column for i, column in enumerate(rows.columns)]
    with pytest.raises(EchoPulseError, match="key 'channel_id': null in 1 rows"):
        writer.write(view, pa.RecordBatch.from_arrays(columns, names=rows.schema.names))
    assert client.dbsize() == 0
    assert writer.write(view, rows) == client.dbsize() == len(names)


def test_views_of_one_entity_share_a_key_and_not_their_times(
    client: redis.Redis, writer: OnlineWriter, view: ViewSchema
) -> None:
    """The time of one view does not hold back another, whose fields lie in the same hash."""
    other = type(view)("other", view.join_keys, view.features)
    writer.write(view, batch([("a", 5)]))
    writer.write(other, batch([("a", 1)]))
    assert client.dbsize() == 1
    assert stored(client, other) == {"a": (1.0, 0)}


def test_many_writers_in_any_order_end_in_the_newest(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """Writers at the same time, each with the steps in another order, leave the newest."""
    orders = [[(step * factor) % 97 for step in range(97)] for factor in (1, 5, 12, 96)]

    def write(steps: list[int]) -> None:
        one = OnlineWriter(OnlineStoreSettings(valkey))
        for step in steps:
            one.write(view, batch([("a", step), ("b", 96 - step)]))
        one.close()

    threads = [threading.Thread(target=write, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: x for name, (x, _) in stored(client, view).items()} == {"a": 96.0, "b": 96.0}


DAY = 86_400


def keep(client: redis.Redis, valkey: str, view: ViewSchema, ttl_s: int, key_ttl_s: int = 3_600) -> int:
    """Write a row of a view with this time to live and return how many seconds its key has left; -1 is for ever."""
    schema = replace(view, name=f"kept_for_{ttl_s}", ttl_s=ttl_s)
    OnlineWriter(OnlineStoreSettings(valkey, key_ttl_s=key_ttl_s)).write(schema, batch([("a", 1)]))
    left: Any = client.ttl(entity_keys(view, "echopulse", batch([("a", 1)]))[0].as_py())
    return int(left)


@pytest.mark.parametrize(
    ("ttl_s", "key_ttl_s", "needed_s"), [(DAY, 3_600, DAY), (60, 3_600, 3_600), (DAY, 0, None), (0, 3_600, None)]
)
def test_a_key_is_kept_as_long_as_settings_and_view_need_it(
    client: redis.Redis, valkey: str, view: ViewSchema, ttl_s: int, key_ttl_s: int, needed_s: int | None
) -> None:
    """For the longer of the two times, two 64ths more at most; for ever where one of them is 0."""
    left = keep(client, valkey, view, ttl_s, key_ttl_s)
    assert left == -1 if needed_s is None else needed_s <= left <= needed_s + 2 * (needed_s // 64 + 1)


@pytest.mark.parametrize("ttls", list(permutations((60, DAY, 7 * DAY))))
def test_the_longest_need_of_the_views_of_a_key_is_kept(
    client: redis.Redis, valkey: str, view: ViewSchema, ttls: tuple[int, ...]
) -> None:
    """Whichever view is written last."""
    left = [keep(client, valkey, view, ttl_s) for ttl_s in ttls]
    assert 7 * DAY <= left[-1] <= 7 * DAY + 2 * (7 * DAY // 64 + 1)
    assert keep(client, valkey, view, 0) == -1
    assert keep(client, valkey, view, 60) == -1


def test_a_key_is_granted_more_before_a_view_needs_it(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """Feast, or an earlier setting, gave it less."""
    keep(client, valkey, view, DAY)
    client.expire(entity_keys(view, "echopulse", batch([("a", 1)]))[0].as_py(), 10)
    assert keep(client, valkey, view, DAY) >= DAY


def laps(view: ViewSchema, now_ms: int) -> tuple[int, int]:
    """The length of a lap of the view's and the beginning of the one that lasts, both in ms."""
    lap_ms = -(-view.ttl_s // 64) * 1_000
    return lap_ms, now_ms // lap_ms * lap_ms


def left_ms(client: redis.Redis, view: ViewSchema) -> int:
    """How long the key of channel a has, in ms."""
    left: Any = client.pttl(entity_keys(view, "echopulse", batch([("a", 1)]))[0].as_py())
    return int(left)


def write_at(client: redis.Redis, valkey: str, view: ViewSchema, at_ms: int, left: int | None = None) -> int:
    """Write a row of this time to a key that, where it is given, has `left` ms; return what it has then."""
    if left is not None:
        client.pexpire(entity_keys(view, "echopulse", batch([("a", 1)]))[0].as_py(), left)
    OnlineWriter(OnlineStoreSettings(valkey, key_ttl_s=60)).write(view, batch([("a", at_ms - START_MS)]))
    return left_ms(client, view)


def test_a_key_is_asked_for_its_time_once_a_lap(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """The first row of a 64th of the time needed looks, those after it in the same do not, while it lasts."""
    now_ms = int(time.time() * 1_000)
    lap_ms, lap = laps(view, now_ms)
    needed_ms = view.ttl_s * 1_000
    granted = needed_ms + 2 * lap_ms
    assert write_at(client, valkey, view, lap - 1) > granted - 5_000
    enough = needed_ms + lap_ms + 60_000
    assert enough - 5_000 < write_at(client, valkey, view, lap, left=enough) <= enough
    assert write_at(client, valkey, view, lap + 1, left=1_000) <= 1_000
    assert write_at(client, valkey, view, lap + lap_ms, left=1_000) > granted - 5_000


@pytest.mark.parametrize("ago", [1, 5, 700])
def test_rows_of_laps_that_are_over_always_look(client: redis.Redis, valkey: str, view: ViewSchema, ago: int) -> None:
    """A replay of the past writes a lap's rows at any time, also when the key has little left."""
    lap_ms, lap = laps(view, int(time.time() * 1_000))
    at_ms = lap - ago * lap_ms
    granted = view.ttl_s * 1_000 + 2 * lap_ms
    assert write_at(client, valkey, view, at_ms) > granted - 5_000
    assert write_at(client, valkey, view, at_ms + 1, left=1_000) > granted - 5_000


def test_a_key_that_others_made_is_looked_at(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """The first row of a view looks, whatever other views did in the same lap."""
    now_ms = int(time.time() * 1_000)
    lap_ms, lap = laps(view, now_ms)
    write_at(client, valkey, view, lap)
    other = replace(view, name="other")
    assert write_at(client, valkey, other, lap + 1, left=1_000) > view.ttl_s * 1_000 + 2 * lap_ms - 5_000


def test_a_flushed_script_is_taught_anew(client: redis.Redis, writer: OnlineWriter, view: ViewSchema) -> None:
    """A server restarted or flushed does not know the script."""
    writer.write(view, batch([("a", 1)]))
    client.script_flush()
    assert writer.write(view, batch([("a", 2)])) == 1


def test_a_writer_travels_to_another_process(client: redis.Redis, writer: OnlineWriter, view: ViewSchema) -> None:
    """It is pickled with its settings, not its connection."""
    del client
    writer.write(view, batch([("a", 1)]))
    assert pickle.loads(pickle.dumps(writer)).write(view, batch([("a", 2)])) == 1  # noqa: S301 our own


def test_a_store_that_is_away_is_waited_for(stopped_valkey: Valkey, view: ViewSchema) -> None:
    """A write begun while the server is down succeeds when it is up."""
    writer = OnlineWriter(OnlineStoreSettings(stopped_valkey.address, retry_s=60))
    written: list[int] = []
    thread = threading.Thread(target=lambda: written.append(writer.write(view, batch([("a", 1)]))))
    thread.start()
    stopped_valkey.start()
    thread.join(timeout=60)
    writer.close()
    assert written == [1]


def test_a_store_that_goes_away_is_found_again(stopped_valkey: Valkey, view: ViewSchema) -> None:
    """A connection that broke is opened anew, and the server taught the script anew."""
    writer = OnlineWriter(OnlineStoreSettings(stopped_valkey.address, retry_s=60))
    stopped_valkey.start()
    writer.write(view, batch([("a", 1)]))
    stopped_valkey.stop()
    stopped_valkey.start()
    assert writer.write(view, batch([("a", 1)])) == 1
    writer.close()


def test_a_store_that_stays_away_is_named_in_one_line(stopped_valkey: Valkey, view: ViewSchema) -> None:
    """After the limit the error tells the view, the limit and the cause."""
    writer = OnlineWriter(OnlineStoreSettings(stopped_valkey.address, retry_s=0.2))
    with pytest.raises(EchoPulseError, match=r"view 'talk_1m': the online store took no batch within 0\.2 s"):
        writer.write(view, batch([("a", 1)]))


def test_a_full_store_is_waited_for_and_then_named(valkey: str, client: redis.Redis, view: ViewSchema) -> None:
    """Out of memory passes when there is room again; until the limit it is tried."""
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(EchoPulseError, match="used memory > 'maxmemory'"):
            OnlineWriter(OnlineStoreSettings(valkey, retry_s=0.2)).write(view, batch([("a", 1)]))
    finally:
        client.config_set("maxmemory", 0)


def test_a_key_of_another_use_is_refused_at_once(client: redis.Redis, writer: OnlineWriter, view: ViewSchema) -> None:
    """No waiting where waiting does not help."""
    rows = batch([("a", 1)])
    client.set(entity_keys(view, "echopulse", rows)[0].as_py(), "text")
    with pytest.raises(EchoPulseError, match=r"the online store refused a batch: .*wrong kind of value"):
        writer.write(view, rows)


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        (b"\x08\x80\x80\x80\x80\x08", b"\x08\x80\x80\x80\x80\x08\x10\x01", 1),
        (b"\x08\x80\x80\x80\x80\x08\x10\x01", b"\x08\x80\x80\x80\x80\x08", 0),
        (b"", b"\x10\x01", 1),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x08\x01", 1),
    ],
)
def test_times_compare_by_seconds_and_then_nanoseconds(
    client: redis.Redis, writer: OnlineWriter, view: ViewSchema, old: bytes, new: bytes, written: int
) -> None:
    """Protobuf leaves out parts that are 0; a time before 1970 is older than any other."""
    from features.machinery.redis_format import EncodedRows  # noqa: PLC0415

    row = b"".join(len(part).to_bytes(4, "little") + part for part in (b"key", new))
    client.hset("key", mapping={timestamp_field(view.name): old})
    encoded = EncodedRows("<I4c0I4c0", timestamp_field(view.name), (), pa.array([row], pa.binary()))
    assert writer.send(view.name, encoded) == written


def test_a_bad_connection_is_told_without_its_password() -> None:
    """What follows the address may hold secrets."""
    with pytest.raises(EchoPulseError) as error:
        connect(OnlineStoreSettings("nohost:port,password=secret"))
    assert "nohost:port" in str(error.value)
    assert "secret" not in str(error.value)
