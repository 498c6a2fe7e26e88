"""Flink's own planner and runtime on the compiled views: the rows of a stream that ends equal the oracle's."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from echopulse.stack import find_java
from features.machinery.compiler import compile_views
from features.machinery.feast_repo import declarations
from features.machinery.from_feast import from_feast
from features.machinery.oracle import windows
from features.machinery.view_spec import AggregationSpec, Column, ViewSpec
from pipelines.signals import panes_view
from transforms.keys import string_keys

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from features.machinery.view_spec import CompiledView

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
ROWS = 2_000
MINUTE_MS = 60_000
FRACTIONS = {"calmest", "worst", "mood"}


@pytest.fixture(scope="module")
def repo(request: pytest.FixtureRequest) -> Path:
    """The project's Feast repository."""
    return request.config.rootpath / "features"


@pytest.fixture(scope="module")
def views(repo: Path) -> list[tuple[ViewSpec, CompiledView]]:
    """Each declared view with what it compiles to, and one whose functions are those that they leave out."""
    specs = [from_feast(view) for view in declarations(repo).stream_feature_views]
    window, slide = 2 * MINUTE_MS, MINUTE_MS
    functions = (
        ("messages", "count", "event_id"),
        ("talkers", "count_distinct", "user_id"),
        ("texts", "approx_count_distinct", "text_key"),
        ("toxic", "sum", "toxic"),
        ("calmest", "min", "toxicity"),
        ("worst", "max", "toxicity"),
        ("mood", "mean", "sentiment_score"),
    )
    exact = ViewSpec(
        "exact_2m",
        (Column("channel_id", "string"),),
        tuple(Column(name, "float64" if name in FRACTIONS else "int64") for name, _, _ in functions),
        tuple(AggregationSpec(*function, window, slide) for function in functions),
    )
    rest = tuple(spec for spec in exact.aggregations if spec.function != "count_distinct")
    features = tuple(feature for feature in exact.features if feature.name != "talkers")
    in_panes = replace(exact, name="panes_2m", aggregations=rest, features=features)
    specs += [exact, in_panes]
    compiled = compile_views(specs)
    assert [view.name for view in compiled if view.panes is None] == ["exact_2m"]
    return list(zip(specs, compiled, strict=True))


@pytest.fixture(scope="module")
def analysed() -> pd.DataFrame:
    """Two hours of analysed events, with window edges, failed rows, joins and missing ids among them."""
    random = np.random.default_rng(7)
    start = 1_760_000_400_000
    spread = start + random.integers(0, 7_200_000, ROWS)
    edges = start + random.integers(0, 720, ROWS) * 10_000
    return pd.DataFrame(
        {
            "ts": np.where(random.random(ROWS) < 0.2, edges, spread),
            "stage": random.choice(["", "", "", "", "decode"], ROWS),
            "kind": random.choice(["message", "message", "edit", "reaction", "join", "delete"], ROWS),
            "event_id": [f"e{number}" for number in range(ROWS)],
            "channel_id": random.choice(["", "twitch:a", "slack:b", "discord:ü"], ROWS),
            "user_id": random.choice(["", *(f"u{number}" for number in range(12))], ROWS),
            "toxic": random.integers(0, 2, ROWS).astype("int32"),
            "toxicity": random.random(ROWS),
            "sentiment_score": random.integers(-1, 2, ROWS).astype("int32"),
            "emoji_count": random.integers(0, 5, ROWS).astype("int32"),
            "text_key": random.integers(0, 6, ROWS).astype("int32"),
        }
    ).assign(user_key=lambda frame: string_keys(pa.array(frame["user_id"])).to_pandas().astype("Int32"))


@pytest.fixture(scope="module")
def flink() -> Iterator[Callable[[], TableEnvironment]]:
    """Makes in-process Flinks of one slot, their sessions in UTC.

    PyFlink forgets the JVM it starts; it is kept here, so that it can be ended with the module.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyFlink warns of its own deprecated classes as it loads
        from pyflink import java_gateway  # noqa: PLC0415 PyFlink is for this module only
        from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: PLC0415

    started: list[subprocess.Popen[bytes]] = []
    launch = java_gateway.launch_gateway_server_process

    def keep(*arguments: object) -> subprocess.Popen[bytes]:
        started.append(launch(*arguments))
        return started[-1]

    def environment() -> TableEnvironment:
        settings = EnvironmentSettings.new_instance().in_streaming_mode()
        table = TableEnvironment.create(settings.build())
        table.get_config().set("table.local-time-zone", "UTC")
        table.get_config().set("parallelism.default", "1")
        table.get_config().set("table.optimizer.agg-phase-strategy", "TWO_PHASE")
        return table

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(java_gateway, "launch_gateway_server_process", keep)
        patch.setenv("JAVA_HOME", str(find_java().home))
        yield environment
        java_gateway.get_gateway().shutdown()
    # Outside the patch, which would put the ended one back: the next to ask starts its own.
    java_gateway._gateway = None
    for process in started:
        process.communicate(timeout=60)


def declare_panes(table: TableEnvironment, views: list[tuple[ViewSpec, CompiledView]]) -> None:
    """Name the tables of panes that the views read."""
    for panes in {view.panes for _, view in views if view.panes}:
        table.execute_sql(panes_view(panes))


def test_rows_of_a_bounded_stream_equal_the_oracle(
    flink: Callable[[], TableEnvironment],
    views: list[tuple[ViewSpec, CompiledView]],
    analysed: pd.DataFrame,
    tmp_path: Path,
) -> None:
    """Each view's query over the same events gives the oracle's rows, no more and no fewer."""
    table = flink()
    declared = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    analysed[["ts", *COLUMNS]].to_csv(tmp_path / "analysed.csv", header=False, index=False, na_rep="NULL")
    table.execute_sql(
        f"CREATE TABLE analysed (`ts` BIGINT, {declared}, `et` AS TO_TIMESTAMP_LTZ(`ts`, 3), "
        "WATERMARK FOR `et` AS `et` - INTERVAL '1' DAY) WITH "
        f"('connector' = 'filesystem', 'path' = '{tmp_path / 'analysed.csv'}', "
        "'format' = 'csv', 'csv.null-literal' = 'NULL')"
    )
    declare_panes(table, views)
    for spec, view in views:
        expected = windows(spec, analysed)
        millis = "CAST(EXTRACT(EPOCH FROM `event_timestamp`) AS BIGINT) * 1000"
        keys_and_features = ", ".join(f"`{name}`" for name in view.columns[:-1])
        query = f"SELECT {keys_and_features}, {millis} FROM (\n{view.sql}\n)"  # noqa: S608 the view's own SQL is tested
        with table.execute_sql(query).collect() as result:
            rows = pd.DataFrame([list(row) for row in result], columns=list(view.columns))
        order = [*(key.name for key in view.schema.join_keys), "event_timestamp"]
        found = rows.sort_values(order, ignore_index=True).astype(expected.dtypes.to_dict())
        # A mean of doubles depends on the order of its sum in the last digits.
        assert_frame_equal(found, expected, rtol=1e-12, obj=view.name)
        assert len(expected) > 100


def test_streaming_accepts_every_view(
    flink: Callable[[], TableEnvironment], views: list[tuple[ViewSpec, CompiledView]]
) -> None:
    """The same text plans as a two-phase window aggregation on a stream."""
    table = flink()
    declared = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    table.execute_sql(
        f"CREATE TABLE analysed ({declared}, `et` TIMESTAMP_LTZ(3), WATERMARK FOR `et` AS `et` - INTERVAL '5' SECOND) "
        "WITH ('connector' = 'datagen')"
    )
    declare_panes(table, views)
    for _, view in views:
        plan = table.explain_sql(view.sql)
        assert "LocalWindowAggregate" in plan
        assert "GlobalWindowAggregate" in plan
