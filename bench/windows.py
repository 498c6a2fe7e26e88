"""What a window costs: CPU of an event under windows of five minutes and of a day, by the SQL that views compile to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from bench.embedded import own_settings, step
from bench.measure import Figure, Section
from echopulse.job.backfill_flink import start_jvm
from features.machinery.aggregates import SQL_TYPES
from features.machinery.compiler import compile_views
from features.machinery.connection import OnlineStoreSettings
from features.machinery.view_spec import AggregationSpec, Column, ViewSpec
from pipelines.config import LakeSettings, SignalsConfig

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from features.machinery.view_spec import CompiledView, FeatureType

NAME = "windows"
_RUNS = 3
_SPAN_MS = 48 * 3_600_000
_START_MS = 1_760_000_400_000
_CHANNELS, _USERS = 200, 20_000
_MINUTE_MS = 60_000
_FUNCTIONS = (
    ("message_count", "count", "event_id"),
    ("distinct_users", "approx_count_distinct", "user_key"),
    ("toxic", "sum", "toxic"),
    ("mean_toxicity", "mean", "toxicity"),
)
_TYPES: dict[str, FeatureType] = {
    "message_count": "int64",
    "distinct_users": "int64",
    "toxic": "int64",
    "mean_toxicity": "float64",
}
_READING, _SHORT, _LONG, _BOTH = "nothing", "5 minutes every minute", "24 hours every hour", "both, on shared panes"


def measure(count: int, folder: Path) -> Section:
    """Measure `count` events over two days of event time, in a Flink of this process's own."""
    from echopulse.stack import flink_jars  # noqa: PLC0415 - with PyFlink, seconds of import
    from pipelines.environment import environment  # noqa: PLC0415 - as above

    settings = own_settings(folder / "windows")
    jars = flink_jars(settings)
    start_jvm()
    config = SignalsConfig("", LakeSettings(str(folder)), OnlineStoreSettings(), {}, parallelism=1)
    short = _view("short", 5 * _MINUTE_MS, _MINUTE_MS)
    long = _view("long", _SPAN_MS // 2, 60 * _MINUTE_MS)
    chosen = {_READING: [], _SHORT: [short], _LONG: [long], _BOTH: [short, long]}
    cases = {name: compile_views(specs) for name, specs in chosen.items()}
    spent: dict[str, list[float]] = {name: [] for name in cases}
    for place in range(_RUNS + 1):
        for name, views in cases.items():
            step(f"{name}, run {place} of {_RUNS}")
            before = _jvm_seconds()
            _run(environment(config, jars), views, count)
            if place:
                spent[name].append(1e6 * (_jvm_seconds() - before) / count)
    figures = {name: Figure(name, tuple(runs), "us of CPU an event") for name, runs in spent.items()}
    base = figures[_READING].median
    net = {name: figure.median - base for name, figure in figures.items()}
    return Section(
        NAME,
        "Windows (`windows`)",
        f"{count:,} events of {_CHANNELS} channels and {_USERS:,} users over 48 hours of event time, made by Flink "
        "itself, through the SQL of views by channel with four aggregations, into nothing; one slot, the job's own "
        "settings, RocksDB. CPU time of Flink's process; runs take turns after one of each that is not counted.",
        (
            replace(figures[_READING], what="reading alone"),
            figures[_SHORT],
            replace(figures[_LONG], against=f"{net[_LONG] / net[_SHORT]:.2f} x 5 minutes, both without reading"),
            replace(figures[_BOTH], against=f"{net[_BOTH] / net[_SHORT]:.2f} x 5 minutes, both without reading"),
        ),
    )


def _view(name: str, window_ms: int, slide_ms: int) -> ViewSpec:
    return ViewSpec(
        name,
        (Column("channel_id", "string"),),
        tuple(Column(feature, _TYPES[feature]) for feature, _, _ in _FUNCTIONS),
        tuple(
            AggregationSpec(feature, function, column, window_ms, slide_ms) for feature, function, column in _FUNCTIONS
        ),
    )


def _run(table: TableEnvironment, views: list[CompiledView], count: int) -> None:
    """Run one job to its end."""
    from pipelines.signals import panes_view  # noqa: PLC0415 - PyFlink is imported by then

    table.execute_sql(
        f"""CREATE TABLE analysed (`n` BIGINT,
  `stage` AS '', `kind` AS 'message', `event_id` AS CAST(`n` AS STRING),
  `channel_id` AS 'twitch-' || CAST(MOD(`n` * 7919, {_CHANNELS}) AS STRING),
  `user_id` AS 'u' || CAST(MOD(`n` * 104729, {_USERS}) AS STRING),
  `user_key` AS CAST(MOD(`n` * 104729, {_USERS}) AS INT), `text_key` AS CAST(MOD(`n`, 100000) AS INT),
  `toxic` AS CAST(MOD(`n`, 2) AS INT), `toxicity` AS CAST(MOD(`n`, 97) AS DOUBLE) / 97,
  `sentiment_score` AS CAST(MOD(`n`, 3) AS INT), `emoji_count` AS CAST(MOD(`n`, 5) AS INT),
  `et` AS TO_TIMESTAMP_LTZ({_START_MS} + `n` * {_SPAN_MS} / {count}, 3),
  WATERMARK FOR `et` AS `et` - INTERVAL '5' SECOND)
WITH ('connector' = 'datagen', 'rows-per-second' = '100000000',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '{count - 1}')"""
    )
    for panes in dict.fromkeys(panes for view in views for panes in view.panes):
        table.execute_sql(panes_view(panes))
    statements = table.create_statement_set()
    if not views:
        table.execute_sql(
            "CREATE TABLE `out` (`channel_id` STRING, `et` TIMESTAMP_LTZ(3)) WITH ('connector' = 'blackhole')"
        )
        statements.add_insert_sql("INSERT INTO `out` SELECT `channel_id`, `et` FROM analysed")
    for view in views:
        typed = ", ".join(f"`{name}` {SQL_TYPES[type_]}" for name, type_ in _TYPES.items())
        table.execute_sql(
            f"CREATE TABLE `out_{view.name}` (`channel_id` STRING, {typed}, `event_timestamp` TIMESTAMP_LTZ(3)) "
            "WITH ('connector' = 'blackhole')"
        )
        statements.add_insert_sql(f"INSERT INTO `out_{view.name}` {view.sql}")
    statements.execute().wait()


def _jvm_seconds() -> float:
    """Return the CPU seconds of Flink's process, which is a child of this one."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True) if child.name() == "java"]
    return sum(each.user + each.system for each in times)
