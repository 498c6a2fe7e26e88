"""A cluster of three real servers: newest wins on each, slots move while rows are written, and any Feast reads it."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.crc import key_slot

from features.machinery.cluster_writes import keys
from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest
from features.machinery.redis_format import encode, entity_keys
from schemas.errors import EchoPulseError
from tests.features.conftest import Valkey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.machinery.view_spec import ViewSchema

SLOTS, NODES = 16_384, 3
LAST_PORT = 65_535
#: A node talks to the others on the port this much above its own.
BUS = 10_000
START_MS = 1_760_000_000_000
NAMES = [f"channel-{number}" for number in range(40)]


class Cluster:
    """Three servers that share the slots."""

    def __init__(self, folder: Any) -> None:  # noqa: ANN401 a path factory
        self.servers = [_with_bus(folder.mktemp(f"node{place}")) for place in range(NODES)]
        self.nodes = [redis.Redis("127.0.0.1", server.port, socket_timeout=5) for server in self.servers]
        self.address = ",".join(server.address for server in self.servers)

    def start(self) -> None:
        """Start all, give each its third of the slots, and wait until they know of one another."""
        bounds = [SLOTS * place // NODES for place in range(NODES + 1)]
        for place, server in enumerate(self.servers):
            server.start("--cluster-enabled", "yes", "--cluster-config-file", f"{server.port}.conf")
            self.ask(place, "CLUSTER", "ADDSLOTSRANGE", bounds[place], bounds[place + 1] - 1)
            self.ask(place, "CLUSTER", "SET-CONFIG-EPOCH", place + 1)
        for server in self.servers[1:]:
            self.ask(0, "CLUSTER", "MEET", "127.0.0.1", server.port)
        self.wait(lambda place: b"cluster_state:ok" in self.ask(place, "CLUSTER", "INFO"))

    def wait(self, ready: Any) -> None:  # noqa: ANN401 a function of a node
        """Wait until all nodes say so, twenty seconds at most."""
        deadline = time.monotonic() + 20
        while not all(ready(place) for place in range(NODES)):
            assert time.monotonic() < deadline, "the cluster did not come together"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop all."""
        for server, node in zip(self.servers, self.nodes, strict=True):
            node.close()
            server.stop()

    def ask(self, place: int, *command: object) -> Any:  # noqa: ANN401 any command's answer
        """Send a node a command."""
        return self.nodes[place].execute_command(*command)  # type: ignore[no-untyped-call] # redis has few types here

    def name(self, place: int) -> str:
        """The id of a node."""
        return str(self.ask(place, "CLUSTER", "MYID").decode())


def _with_bus(folder: Any) -> Valkey:  # noqa: ANN401 a path
    """A server whose bus has a port too."""
    while True:
        server = Valkey(folder)
        if server.port + BUS <= LAST_PORT:
            with socket.socket() as bus:
                if bus.connect_ex(("127.0.0.1", server.port + BUS)):
                    return server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of this module."""
    three = Cluster(tmp_path_factory)
    try:
        three.start()
        yield three
    finally:
        three.stop()


@pytest.fixture
def store(cluster: Cluster) -> OnlineStoreSettings:
    """How the emptied cluster is reached: by two of its nodes."""
    for node in cluster.nodes:
        node.flushall()
    address = ",".join(cluster.address.split(",")[:2])
    return OnlineStoreSettings(address, redis_type="redis_cluster", rows_per_call=5, retry_s=30)


def batch(rows: list[tuple[str, int]]) -> pa.RecordBatch:
    """Rows of (channel, time step)."""
    channels, steps = zip(*rows, strict=True)
    return pa.record_batch(
        {
            "channel_id": list(channels),
            "n": pa.array(steps, pa.int64()),
            "x": pa.array([0.5] * len(rows)),
            "word": list(channels),
            "event_timestamp": pa.array([START_MS + step for step in steps], pa.timestamp("ms", "UTC")),
        }
    )


def stored(settings_: OnlineStoreSettings, view: ViewSchema) -> dict[str, int]:
    """The time step that the cluster holds for each channel that has a row."""
    client = connect(settings_)
    rows = read_latest(client, "echopulse", view, [(name,) for name in NAMES], now_ms=START_MS).to_pylist()
    client.close()
    return {row["channel_id"]: row["n"] for row in rows if row["event_timestamp"]}


@given(st.lists(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 9)), min_size=1), min_size=1, max_size=3))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_newest_row_wins_on_every_node(
    cluster: Cluster, store: OnlineStoreSettings, view: ViewSchema, batches: list[list[tuple[str, int]]]
) -> None:
    """As on one server; the count is of rows that were new enough."""
    for node in cluster.nodes:
        node.flushall()
    writer, expected = OnlineWriter(store), dict[str, int]()
    for rows in batches:
        newest = {name: max(step for other, step in rows if other == name) for name, _ in rows}
        fresh = {name: step for name, step in newest.items() if step >= expected.get(name, 0)}
        assert writer.write(view, batch(rows)) == len(fresh)
        expected |= fresh
    writer.close()
    assert stored(store, view) == expected


def test_rows_lie_on_all_nodes(cluster: Cluster, store: OnlineStoreSettings, view: ViewSchema) -> None:
    """And each key where the cluster looks for it."""
    OnlineWriter(store).write(view, batch([(name, 1) for name in NAMES]))
    sizes: list[Any] = [node.dbsize() for node in cluster.nodes]
    assert sum(sizes) == len(NAMES)
    assert min(sizes) > 0


def test_keys_of_rows_are_those_that_were_encoded(view: ViewSchema) -> None:
    """By which rows are sent to their nodes."""
    rows = batch([(name, 1) for name in NAMES])
    assert keys(encode(view, "echopulse", rows)) == entity_keys(view, "echopulse", rows).to_pylist()


def test_a_slot_that_is_on_its_way_is_written_where_it_goes(
    cluster: Cluster, store: OnlineStoreSettings, view: ViewSchema
) -> None:
    """Half-moved: keys that are there are written there, new ones at the other end, by ASK; then it moves for good."""
    [known, fresh] = entity_keys(view, "echopulse", batch([("{slot}known", 1), ("{slot}fresh", 1)])).to_pylist()
    slot = key_slot(known)
    assert slot == key_slot(fresh)
    source = next(place for place in range(NODES) if slot < SLOTS * (place + 1) // NODES)
    target = (source + 1) % NODES
    writer = OnlineWriter(store)
    writer.write(view, batch([("{slot}known", 1)]))
    cluster.ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.name(source))
    cluster.ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.name(target))
    everything = [(name, 2) for name in (*NAMES, "{slot}known", "{slot}fresh")]
    try:
        writer.write(view, batch(everything))
        assert cluster.ask(source, "CLUSTER", "COUNTKEYSINSLOT", slot) == 1
        assert cluster.ask(target, "CLUSTER", "COUNTKEYSINSLOT", slot) == 1
        port = cluster.servers[target].port
        cluster.ask(source, "MIGRATE", "127.0.0.1", port, known, 0, 5_000)
    finally:
        for place in (target, source, *range(NODES)):
            cluster.ask(place, "CLUSTER", "SETSLOT", slot, "NODE", cluster.name(target))
    assert writer.write(view, batch([(name, 3) for name, _ in everything])) == len(everything)
    assert writer.write(view, batch([("{slot}known", 2), ("{slot}fresh", 2)])) == 0
    writer.close()
    assert stored(store, view) == dict.fromkeys(NAMES, 3)


def test_a_cluster_that_is_away_is_named_in_one_line(view: ViewSchema) -> None:
    """After the limit, as one server is."""
    nowhere = OnlineStoreSettings("127.0.0.1:1", redis_type="redis_cluster", retry_s=0.2)
    with pytest.raises(EchoPulseError, match=r"view 'talk_1m': the online store took no batch within 0\.2 s"):
        OnlineWriter(nowhere).write(view, batch([("a", 1)]))
