"""The online store: feature rows written and read by our own path and by Feast's, the same rows on the same server."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bench.embedded import own_settings, step, told
from bench.measure import Figure, Section, rates, ratio
from bench.rounds import interleaved
from echopulse.job.configuration import online_store
from echopulse.stack import Stack, stack_settings
from echopulse.stack.valkey import Valkey
from features.machinery.online_writer import OnlineWriter

if TYPE_CHECKING:
    from pathlib import Path

    from feast import FeatureStore

    from features.machinery.view_spec import ViewSchema

NAME = "store"
#: Turns of each, and how many calls one is.
_ROUNDS, _WRITES = 3, 3
_READ_ROUNDS, _READS = 6, 10
_ENTITIES_READ = 100
_ROWS_SHARE = 50
_VIEW = "channel_1m"
#: Twenty features of four views and two entities.
_VIEWS_READ = ("channel_1m", "channel_5m", "channel_1h", "user_1m")
_FEATURES_READ = 20
_PLUGIN = "features.machinery.online_store.EchoPulseOnlineStore"
_REPO = """project: echopulse
provider: local
registry: registry.db
online_store: {{type: {kind}, connection_string: "{connection}"}}
offline_store: {{type: duckdb}}
entity_key_serialization_version: 3
"""


def measure(count: int, folder: Path) -> Section:
    """Measure batches of a fiftieth of `count` rows on a Valkey in `folder`."""
    from feast import FeatureStore  # noqa: PLC0415 - seconds of import

    from features.machinery.store import apply, open_store  # noqa: PLC0415 - as Feast

    settings = own_settings(folder / "store")
    stack, store = stack_settings(settings), online_store(settings)
    repo = folder / "repo"
    repo.mkdir()
    (repo / "declared.py").write_text("from features.services import *\n", encoding="utf-8")
    for name, kind in (("feature_store", "redis"), ("plugin", _PLUGIN)):
        (repo / f"{name}.yaml").write_text(_REPO.format(kind=kind, connection=store.connection), encoding="utf-8")
    total = max(_ENTITIES_READ, count // _ROWS_SHARE)
    with Stack(stack, told, (Valkey(stack),), ()).bring_up():
        step("applying the Feast repository")
        views = {view.name: view.schema for view in apply(repo, repo).views}
        view, feast, writer = views[_VIEW], open_store(repo), OnlineWriter(store)
        begin_ms = time.time_ns() // 1_000_000 - 60_000
        turn = _WRITES + 1
        places = range(2 * _ROUNDS * turn)
        batches = iter([rows(view, total, place, begin_ms) for place in places if place // turn % 2 == 0])
        frames = iter([rows(view, total, place, begin_ms).to_pandas() for place in places if place // turn % 2])
        writes = {
            "OnlineWriter": lambda: _all_of(total, writer.write(view, next(batches))),
            "Feast, write_to_online_store": lambda: feast.write_to_online_store(_VIEW, next(frames)),
        }
        costs = interleaved(writes, _ROUNDS, together=_WRITES, warm=True)
        ours, theirs = (
            Figure(f"write, {what}", rates(total, [cost.wall for cost in of_each]), "rows/s")
            for what, of_each in costs.items()
        )
        for name in _VIEWS_READ:
            writer.write(views[name], rows(views[name], total, len(places), begin_ms))
        names = [f"{name}:{feature.name}" for name in _VIEWS_READ for feature in views[name].features][:_FEATURES_READ]
        entities = [{key: f"{key}-{place}" for key in ("channel_id", "user_id")} for place in range(_ENTITIES_READ)]
        plugin = FeatureStore(str(repo), fs_yaml_file=repo / "plugin.yaml")
        reads = {
            "the plug-in": partial(_answer, plugin, names, entities),
            "Feast": partial(_answer, feast, names, entities),
        }
        read, feast_read = (
            Figure(f"read, get_online_features, {what}", tuple(1_000 * cost.wall for cost in of_each), "ms")
            for what, of_each in interleaved(reads, _READ_ROUNDS, together=_READS, warm=True).items()
        )
        writer.close()
    return Section(
        NAME,
        "Online store (`store`)",
        f"{total:,} rows of {_VIEW} ({len(view.features)} features) in one batch to one Valkey, each run's rows newer "
        f"than the last one's; reads of {_ENTITIES_READ} entities, {len(names)} features of {len(_VIEWS_READ)} views, "
        "by `get_online_features(...).to_dict()`. Feast's side is its own Redis store, and takes its rows as a pandas "
        f"frame, made beforehand. They take turns of {_WRITES} writes and {_READS} reads after one uncounted: "
        "Feast prepares anew what another store was asked in between, and caches hold what is another's. By the wall, "
        "client and server on the same cores.",
        (
            replace(ours, against=f"{ratio(ours, theirs):.1f} x Feast"),
            theirs,
            replace(read, against=f"{ratio(feast_read, read):.1f} x as fast as Feast"),
            feast_read,
        ),
    )


def rows(view: ViewSchema, count: int, place: int, begin_ms: int) -> pa.RecordBatch:
    """Return a row for each of `count` entities, as of `place` seconds after `begin_ms`."""
    random = np.random.default_rng(place)
    [key] = [column.name for column in view.join_keys]
    columns = {key: pa.array([f"{key}-{number}" for number in range(count)])}
    columns |= {
        feature.name: pa.array(random.integers(0, 5_000, count) if feature.type == "int64" else random.random(count))
        for feature in view.features
    }
    columns["event_timestamp"] = pa.array(np.full(count, begin_ms + 1_000 * place), pa.timestamp("ms", "UTC"))
    return pa.RecordBatch.from_pydict(columns)


def _answer(store: FeatureStore, names: list[str], entities: list[dict[str, str]]) -> dict[str, list[Any]]:
    return store.get_online_features(names, entities, full_feature_names=True).to_dict()


def _all_of(total: int, written: int) -> None:
    if written != total:
        raise ValueError(f"{written:,} of {total:,} rows were written: the others found newer ones stored")
