"""The online store: feature rows written and read by our own path and by Feast's, the same rows on the same server."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bench.embedded import own_settings, step, told
from bench.measure import Figure, Section, rates, ratio, repeated
from echopulse.job.configuration import online_store
from echopulse.stack import Stack, stack_settings
from echopulse.stack.valkey import Valkey
from features.machinery.connection import connect
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from features.machinery.view_spec import ViewSchema

NAME = "store"
_RUNS = 5
_READS = 60
_ENTITIES_READ = 100
_ROWS_SHARE = 50
_VIEW = "channel_1m"
_REPO = """project: echopulse
provider: local
registry: registry.db
online_store: {{type: redis, connection_string: "{connection}"}}
offline_store: {{type: duckdb}}
entity_key_serialization_version: 3
"""


def measure(count: int, folder: Path) -> Section:
    """Measure batches of a fiftieth of `count` rows on a Valkey in `folder`."""
    from features.machinery.store import apply, open_store  # noqa: PLC0415 - Feast, seconds of import

    settings = own_settings(folder / "store")
    stack, store = stack_settings(settings), online_store(settings)
    repo = folder / "repo"
    repo.mkdir()
    (repo / "declared.py").write_text("from features.services import *\n", encoding="utf-8")
    (repo / "feature_store.yaml").write_text(_REPO.format(connection=store.connection), encoding="utf-8")
    total = max(_ENTITIES_READ, count // _ROWS_SHARE)
    with Stack(stack, told, (Valkey(stack),), ()).bring_up():
        step("applying the Feast repository")
        view = next(view.schema for view in apply(repo, repo).views if view.name == _VIEW)
        feast, writer = open_store(repo), OnlineWriter(store)
        batches = iter([rows(view, total, place) for place in range(_RUNS + 1)])
        ours = _written("OnlineWriter", total, lambda: writer.write(view, next(batches)))
        frames = iter([rows(view, total, _RUNS + 1 + place).to_pandas() for place in range(_RUNS + 1)])
        theirs = _written(
            "Feast, write_to_online_store", total, lambda: feast.write_to_online_store(_VIEW, next(frames))
        )
        with connect(store) as client:
            wanted = [(f"channel-{place}",) for place in range(_ENTITIES_READ)]
            read = _read("read_latest", lambda: read_latest(client, store.project, view, wanted))
        names = [f"{_VIEW}:{feature.name}" for feature in view.features]
        entities = [{"channel_id": name} for (name,) in wanted]
        feast_read = _read("Feast, get_online_features", lambda: feast.get_online_features(names, entities).to_dict())
        writer.close()
    return Section(
        NAME,
        "Online store (`store`)",
        f"{total:,} rows of {_VIEW} ({len(view.features)} features) in one batch to one Valkey, each run's rows newer "
        f"than the last one's; reads of {_ENTITIES_READ} entities. Feast's side is its own Redis store, and takes its "
        "rows as a pandas frame, made beforehand. By the wall, client and server on the same cores.",
        (
            replace(ours, against=f"{ratio(ours, theirs):.1f} x Feast"),
            theirs,
            replace(read, against=f"{ratio(feast_read, read):.1f} x as fast as Feast"),
            feast_read,
        ),
    )


def rows(view: ViewSchema, count: int, place: int) -> pa.RecordBatch:
    """Return a row for each of `count` channels; those of a later `place` are newer, by a second each."""
    random = np.random.default_rng(place)
    now_ms = time.time_ns() // 1_000_000 - 60_000 + 1_000 * place
    columns = {"channel_id": pa.array([f"channel-{number}" for number in range(count)])}
    columns |= {
        feature.name: pa.array(random.integers(0, 5_000, count) if feature.type == "int64" else random.random(count))
        for feature in view.features
    }
    columns["event_timestamp"] = pa.array(np.full(count, now_ms), pa.timestamp("ms", "UTC"))
    return pa.RecordBatch.from_pydict(columns)


def _written(what: str, amount: int, call: Callable[[], object]) -> Figure:
    return Figure(f"write, {what}", rates(amount, [cost.wall for cost in repeated(call, _RUNS)]), "rows/s")


def _read(what: str, call: Callable[[], object]) -> Figure:
    return Figure(f"read, {what}", tuple(1_000 * cost.wall for cost in repeated(call, _READS)), "ms")
