"""The job `signals`: one analysis pass over every event, then windows, and a statement for each sink."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from features.machinery.view_spec import EVENT_TIMESTAMP
from pipelines import crowd, tables
from pipelines.crowd_functions import crowd_functions
from pipelines.freshness import FreshnessSettings
from pipelines.functions import analyse_function, write_function
from schemas import topics
from schemas.arrow import exchanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from pyflink.table import StatementSet, TableEnvironment
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

    from features.machinery.view_spec import CompiledView, Panes
    from pipelines.config import SignalsConfig


def analysis_view(columns: pa.Schema) -> str:
    """Return every record analysed, whatever came of it: the only statement that calls `analyse`."""
    named = ", ".join(f"q.r.`{name}` AS `{name}`" for name in columns.names)
    return f"""CREATE TEMPORARY VIEW analysis AS
SELECT q.et, q.arrival, q.`value`, q.record_partition, q.record_offset,
  {named}
FROM (
  SELECT et, arrival, `value`, record_partition, record_offset, analyse(`value`, et) AS r FROM social_events
) AS q"""


def analysed_view(columns: pa.Schema) -> str:
    """Return the events that were analysed, each once: a second event with one id in one channel is a repeat.

    What makes a repeat is kept for `table.exec.state.ttl`.
    """
    once = ", ".join(f"`{name}`" for name in columns.names if name not in {"reason", "digest"})
    return f"""CREATE TEMPORARY VIEW analysed AS
SELECT et, `value`, {once}
FROM (
  SELECT et, `value`, {once}, ROW_NUMBER() OVER (PARTITION BY channel_id, event_id ORDER BY arrival) AS occurrence
  FROM analysis WHERE stage = ''
) WHERE occurrence = 1"""


ANALYSIS_INSERT = f"""INSERT INTO social_analysis
SELECT channel_id, `result`, {tables.schema_header("analysis_result")}, et
FROM analysed"""

SHADOW_INSERT = f"""INSERT INTO social_shadow
SELECT channel_id, said.datum, {tables.schema_header("shadow_result")}, et
FROM analysed CROSS JOIN UNNEST(`shadow`) AS said (datum)"""

#: A record without a value (a tombstone) is a dead letter without bytes: a null would fail the sink, and the job.
DEAD_LETTER_INSERT = f"""INSERT INTO social_dlq
SELECT stage, reason,
  '{topics.EVENTS}/' || CAST(record_partition AS STRING) || '/' || CAST(record_offset AS STRING),
  event_id, CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), COALESCE(`value`, CAST('' AS BYTES)),
  {tables.schema_header("dead_letter")}
FROM analysis WHERE stage <> '' AND stage <> 'heartbeat'"""

_LATE = "COALESCE(et <= CURRENT_WATERMARK(et), FALSE)"


def _lake_events(*, late: bool) -> str:
    return f"""SELECT event_id, channel_id, user_id, kind, target, CAST(et AS TIMESTAMP(3)),
  toxicity, toxic, sentiment_score, emoji_count, user_key, text_key,
  {"TRUE" if late else "FALSE"}, `value`, `result`, {tables.date_and_hour("et")}
FROM analysed WHERE {"" if late else "NOT "}{_LATE}"""


#: A row behind the watermark is `late`: windows that are closed already miss it. Two inputs make the writer a task of
#: its own: it waits for the object store with every checkpoint, for up to a second, and watermarks would wait with it.
LAKE_EVENTS_INSERT = f"INSERT INTO lake_events\n{_lake_events(late=False)}\nUNION ALL\n{_lake_events(late=True)}"


@dataclass(frozen=True)
class Job:
    """Statements that make the job: tables and views first, then one insert a sink, all in one Flink job."""

    definitions: tuple[str, ...]
    inserts: tuple[str, ...]


def view_insert(view: CompiledView) -> str:
    """Return the statement that computes a view, writes it online and keeps it in the lake with when it was written.

    Rows of silences have a writer of their own: they are told later, and no event waits for them.
    """
    columns = view.schema.columns
    names = ", ".join(columns)
    row = ", ".join(columns[:-1])
    parts = {f"write_{view.name}": view.spoken, f"write_{view.name}_silence": view.silence}
    written = "\nUNION ALL\n".join(
        f"SELECT {names}, {write}({names}) AS written_ms FROM (\n{sql}\n)" for write, sql in parts.items() if sql
    )
    return f"""INSERT INTO lake_{view.name}
SELECT {row}, CAST({EVENT_TIMESTAMP} AS TIMESTAMP(3)), written_ms, {tables.date_and_hour(EVENT_TIMESTAMP)}
FROM (
{written}
)"""


def panes_view(panes: Panes) -> str:
    """Return the statement that names a table of panes; all views that read it share its operators."""
    return f"CREATE TEMPORARY VIEW {panes.name} AS\n{panes.sql}"


def build(config: SignalsConfig, views: Sequence[CompiledView]) -> Job:
    """Build the job's SQL from the configuration and the compiled feature views; pure text, nothing is started."""
    columns = exchanged(shadow=config.has_shadow, digest=config.crowd_pane_ms > 0)
    return Job(
        definitions=(
            tables.events_source(config),
            tables.analysis_sink(config),
            *([tables.shadow_sink(config)] if config.has_shadow else []),
            tables.dead_letter_sink(config),
            tables.lake_events_sink(config),
            *(tables.lake_features_sink(config, view) for view in views),
            analysis_view(columns),
            analysed_view(columns),
            *(panes_view(panes) for panes in dict.fromkeys(panes for view in views for panes in view.panes)),
            *(crowd.definitions(config) if config.crowd_pane_ms else []),
        ),
        inserts=(
            ANALYSIS_INSERT,
            *([SHADOW_INSERT] if config.has_shadow else []),
            DEAD_LETTER_INSERT,
            LAKE_EVENTS_INSERT,
            *(view_insert(view) for view in views),
            *(crowd.inserts() if config.crowd_pane_ms else []),
        ),
    )


def declare(
    environment: TableEnvironment,
    config: SignalsConfig,
    views: Sequence[CompiledView],
    analyse: UserDefinedScalarFunctionWrapper | None = None,
) -> StatementSet:
    """Register functions, tables and views in `environment` and return the statement set, ready to run or explain.

    `analyse` replaces the vectorised analysis pass by another function of the same signature, which gives no digests.
    """
    if analyse is not None:
        config = replace(config, crowd_pane_ms=0)
    job = build(config, views)
    environment.create_temporary_function(
        "analyse", analyse or analyse_function(config.selection, config.crowd_pane_ms)
    )
    for name, function in crowd_functions(config.crowd_pane_ms).items():
        environment.create_temporary_function(name, function)
    for view in views:
        freshness = FreshnessSettings(view.slide_ms, config.metrics_folder)
        write = write_function(view.schema, config.online_store, freshness)
        environment.create_temporary_function(f"write_{view.name}", write)
        silence = write_function(view.schema, config.online_store)
        environment.create_temporary_function(f"write_{view.name}_silence", silence)
    for statement in job.definitions:
        environment.execute_sql(statement)
    statements = environment.create_statement_set()
    for statement in job.inserts:
        statements.add_insert_sql(statement)
    return statements
