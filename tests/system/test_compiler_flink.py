"""Flink's own planner and runtime on the compiled views: a stream's rows are a batch's, and the oracle's."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from echopulse.stack import find_java
from features.machinery.compiler import compile_views
from features.machinery.feast_repo import declarations
from features.machinery.from_feast import from_feast
from features.machinery.oracle import windows
from pipelines.signals import panes_view
from tests.features.every_function import (
    MINUTE,
    NUMBERS_RANKED,
    RANKED,
    SECOND,
    SIMPLE,
    SPLIT,
    START_MS,
    view_of,
)
from tests.system.planner import planner_ended
from transforms.keys import string_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from features.machinery.view_spec import CompiledView, FeatureType, ViewSpec

    Flink = Callable[[str], TableEnvironment]
    Views = list[tuple[ViewSpec, CompiledView]]

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

COLUMNS = {
    "stage": "STRING",
    "kind": "STRING",
    "event_id": "STRING",
    "channel_id": "STRING",
    "user_id": "STRING",
    "toxic": "INT",
    "toxicity": "DOUBLE",
    "sentiment_score": "INT",
    "emoji_count": "INT",
    "user_key": "INT",
    "text_key": "INT",
}
FLINK_TYPES: dict[FeatureType, str] = {"int64": "BIGINT", "float64": "DOUBLE", "string": "STRING"}
ROWS = 1_000
KINDS = ["message", "message", "edit", "reaction", "join", "delete", ""]


@pytest.fixture(scope="module")
def views(request: pytest.FixtureRequest) -> Views:
    """Each declared view with what it compiles to, and views of all functions, also with two panes in a step."""
    declared = declarations(request.config.rootpath / "features").stream_feature_views
    specs = [
        *(from_feast(view) for view in declared),
        view_of("all_2m", SIMPLE, 2 * MINUTE, MINUTE),
        view_of("all_1m", SIMPLE, MINUTE, MINUTE),
        *(view_of(f"all_{minutes}m_every_2m", SIMPLE, minutes * MINUTE, 2 * MINUTE) for minutes in (2, 4, 6)),
        view_of("all_24h", SIMPLE, 1_440 * MINUTE, 60 * MINUTE),
        *(
            view_of(f"short_panes_{window}s", SIMPLE, window * SECOND, slide * SECOND, filter_="kind != 'edit'")
            for window, slide in ((20, 4), (900, 300))
        ),
        view_of("split_2m", SPLIT, 2 * MINUTE, MINUTE),
        view_of("split_1h", SPLIT, 60 * MINUTE, 10 * MINUTE),
        view_of("moods_2m", NUMBERS_RANKED, 2 * MINUTE, MINUTE),
        view_of("ranked_2m", RANKED, 2 * MINUTE, MINUTE),
        view_of("ranked_1h", RANKED, 60 * MINUTE, 10 * MINUTE, filter_="kind != 'join'"),
    ]
    return list(zip(specs, compile_views(specs), strict=True))


EVENT = st.tuples(
    st.one_of(st.integers(0, 40).map(lambda edge: edge * 10 * SECOND), st.integers(0, 7_200_000)),
    st.sampled_from(["", "decode", "", ""]),
    st.sampled_from(KINDS),
    st.text("ab\x01é😀", max_size=2),
    st.sampled_from(["", "a", "b", "é"]),
    st.sampled_from(["", "u", "v", "w", '"u', "ü,😀"]),
    st.integers(0, 1),
    st.one_of(st.sampled_from([0.0, 0.1, 0.3, 1.0]), st.floats(0, 1)),
    st.integers(-1, 1),
    st.integers(0, 60),
    st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
    st.integers(0, 3),
)


def generated() -> pd.DataFrame:
    """The events of many generated cases, each with channels and users of its own."""
    rows: list[tuple[Any, ...]] = []

    @settings(
        max_examples=60,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(EVENT, max_size=25))
    def collect(events: list[tuple[Any, ...]]) -> None:
        case = len(rows)
        for number, (ts, stage, kind, event_id, channel, user, *rest) in enumerate(events):
            own = (f"{event_id}{number // 2}", channel and f"{case}-{channel}", user and f"{case}-{user}")
            rows.append((START_MS + ts, stage, kind, *own, *rest))

    collect()
    return pd.DataFrame(rows, columns=["ts", *COLUMNS])


def random_events() -> pd.DataFrame:
    """Two hours of three channels, with window edges, failed rows, joins and missing ids among them."""
    random = np.random.default_rng(7)
    spread = START_MS + random.integers(0, 7_200_000, ROWS)
    edges = START_MS + random.integers(0, 720, ROWS) * 10_000
    return pd.DataFrame(
        {
            "ts": np.where(random.random(ROWS) < 0.2, edges, spread),
            "stage": random.choice(["", "", "", "", "decode"], ROWS),
            "kind": random.choice(KINDS, ROWS),
            "event_id": [f"e{number}" for number in range(ROWS)],
            "channel_id": random.choice(["", "twitch:a", "slack:b", "discord:ü"], ROWS),
            "user_id": random.choice(["", *(f"u{number}" for number in range(12))], ROWS),
            "toxic": random.integers(0, 2, ROWS),
            "toxicity": random.random(ROWS),
            "sentiment_score": random.integers(-1, 2, ROWS),
            "emoji_count": random.integers(0, 5, ROWS),
            "text_key": random.integers(0, 6, ROWS),
        }
    ).assign(user_key=lambda frame: string_keys(pa.array(frame["user_id"])).to_pandas())


@pytest.fixture(scope="module")
def analysed() -> pd.DataFrame:
    """Generated cases and random events."""
    whole = {name: "int32" for name, type_ in COLUMNS.items() if type_ == "INT"} | {"user_key": "Int32"}
    return pd.concat([generated(), random_events()], ignore_index=True).astype(whole)


@pytest.fixture(scope="module")
def flink() -> Iterator[Flink]:
    """Makes in-process Flinks of one slot, streaming or batch, their sessions in UTC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyFlink warns of its own deprecated classes as it loads
        from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: PLC0415 PyFlink is for this module only

    def environment(mode: str) -> TableEnvironment:
        builder = EnvironmentSettings.new_instance()
        settings = builder.in_batch_mode() if mode == "batch" else builder.in_streaming_mode()
        table = TableEnvironment.create(settings.build())
        table.get_config().set("table.local-time-zone", "UTC")
        table.get_config().set("parallelism.default", "1")
        table.get_config().set("table.optimizer.agg-phase-strategy", "TWO_PHASE")
        # The batch's tasks run one after the other's end; all of a stream's at once.
        table.get_config().set("taskmanager.memory.network.max", "512mb")
        table.get_config().set("taskmanager.memory.network.min", "512mb")
        table.get_config().set("taskmanager.memory.managed.size", "512mb")
        return table

    with pytest.MonkeyPatch.context() as patch, planner_ended():
        patch.setenv("JAVA_HOME", str(find_java().home))
        yield environment


def declare_panes(table: TableEnvironment, views: Views) -> None:
    """Name the tables of panes that the views read."""
    for panes in dict.fromkeys(panes for _, view in views for panes in view.panes):
        table.execute_sql(panes_view(panes))


def rows_of(table: TableEnvironment, views: Views, analysed: pd.DataFrame, folder: Path) -> dict[str, pd.DataFrame]:
    """Compute all views over the events in one job; the rows of each, sorted by key and time."""
    declared = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    source = folder / "analysed"
    source.mkdir(parents=True)
    analysed[["ts", *COLUMNS]].to_csv(source / "rows.csv", header=False, index=False, na_rep="NULL")
    table.execute_sql(
        f"CREATE TABLE analysed (`ts` BIGINT, {declared}, `et` AS TO_TIMESTAMP_LTZ(`ts`, 3), "
        "WATERMARK FOR `et` AS `et` - INTERVAL '1' DAY) WITH "
        f"('connector' = 'filesystem', 'path' = '{source}', 'format' = 'csv', 'csv.null-literal' = 'NULL')"
    )
    declare_panes(table, views)
    statements = table.create_statement_set()
    for spec, view in views:
        typed = [f"`{column.name}` {FLINK_TYPES[column.type]}" for column in (*spec.join_keys, *spec.features)]
        table.execute_sql(
            f"CREATE TABLE `out_{spec.name}` ({', '.join(typed)}, `event_timestamp` BIGINT) WITH "
            f"('connector' = 'filesystem', 'path' = '{folder / spec.name}', 'format' = 'json')"
        )
        millis = "CAST(EXTRACT(EPOCH FROM `event_timestamp`) AS BIGINT) * 1000"
        columns = ", ".join(f"`{name}`" for name in view.columns[:-1])
        statements.add_insert_sql(
            f"INSERT INTO `out_{spec.name}` SELECT {columns}, {millis} FROM (\n{view.sql}\n)"  # noqa: S608 the view's own
        )
    statements.execute().wait()
    return {spec.name: read(folder / spec.name, view) for spec, view in views}


def read(folder: Path, view: CompiledView) -> pd.DataFrame:
    """Read the rows of a view from JSON lines."""
    lines = [line for file in sorted(folder.iterdir()) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = [json.loads(line) for line in lines]
    typed: dict[str, Any] = {
        column.name: {"int64": "Int64", "float64": "float64", "string": "string"}[column.type]
        for column in view.schema.features
    }
    frame = pd.DataFrame(rows, columns=list(view.columns)).astype(typed)
    return frame.sort_values([*(key.name for key in view.schema.join_keys), "event_timestamp"], ignore_index=True)


def test_rows_of_a_stream_and_of_a_batch_are_the_same_and_the_oracles(
    flink: Flink, views: Views, analysed: pd.DataFrame, tmp_path: Path
) -> None:
    """Each view's one text over the same events gives the oracle's rows, no more and no fewer, to the bit in both."""
    streamed = rows_of(flink("stream"), views, analysed, tmp_path / "stream")
    batched = rows_of(flink("batch"), views, analysed, tmp_path / "batch")
    for spec, view in views:
        found = streamed[spec.name]
        assert_frame_equal(found, batched[spec.name], check_exact=True, obj=f"{view.name}, stream and batch")
        expected = windows(spec, analysed).astype(found.dtypes.to_dict())
        # Within what docs/features.md states: a deviation of doubles comes from the difference of two squares.
        deviations = [each.name for each in spec.aggregations if each.function == "std"]
        assert_frame_equal(found[deviations], expected[deviations], rtol=1e-12, atol=3e-8, obj=view.name)
        rest, wanted = (rows.drop(columns=deviations) for rows in (found, expected))
        assert_frame_equal(rest, wanted, rtol=1e-12, atol=1e-15, obj=view.name)
        assert len(expected) > 100


def test_streaming_plans_every_view_in_two_phases(flink: Flink, views: Views) -> None:
    """The text plans as window aggregations on a stream, and none that would keep its keys forever."""
    table = flink("stream")
    declared = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    table.execute_sql(
        f"CREATE TABLE analysed ({declared}, `et` TIMESTAMP_LTZ(3), WATERMARK FOR `et` AS `et` - INTERVAL '5' SECOND) "
        "WITH ('connector' = 'datagen')"
    )
    declare_panes(table, views)
    for _, view in views:
        plan = table.explain_sql(view.sql).rpartition("== Optimized Execution Plan ==")[2]
        # Panes are made once, also for the rows of windows without events.
        assert plan.count("LocalWindowAggregate") > plan.count("time_col=[et]") == 1
        assert "GlobalWindowAggregate" in plan
        assert " GroupAggregate" not in plan
