"""The job `backfill`: the views of the stream over the lake's events, as a batch that ends.

It reads one longest window and its step more than is asked for, so that the first are whole, and writes the windows
alone that end after the span begins and by its end. Rows go to a staging folder; who publishes them is no concern of
Flink.

Scores are those that the lake recorded, by the models of their day, or what `analyse` says of the original events now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from features.machinery.view_spec import EVENT_TIMESTAMP
from pipelines import tables
from pipelines.functions import analyse_function
from pipelines.signals import Job, panes_view
from schemas.arrow import EXCHANGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflink.table import StatementSet, TableEnvironment

    from features.machinery.view_spec import CompiledView
    from transforms.selection import Selection

#: What the lake does not record, because only events that were analysed are in it.
_RECORDED = {"stage": "''", "reason": "''"}


@dataclass(frozen=True)
class BackfillConfig:
    """What a backfill is built from. Windows count that end after `after` and by `until`, both with a time zone.

    `events` is the folder or `s3://` prefix of the lake's table of events, `staging` that of the rows to be published.
    With a `selection` the events are analysed anew by it. `parallelism` is the number of slots that the job may take,
    `available_after_ms` how long after its end a window's row could be read live.
    """

    events: str
    staging: str
    after: datetime
    until: datetime
    available_after_ms: int
    selection: Selection | None = None
    parallelism: int = 2
    bundle_size: int = 20_000


def events_source(config: BackfillConfig) -> str:
    """Return the lake's table of events as a source that ends."""
    connector = {
        "connector": "filesystem",
        "path": config.events,
        "format": "parquet",
        "parquet.utc-timezone": "true",
    }
    return f"""CREATE TEMPORARY TABLE lake_events (
{tables.EVENT_COLUMNS},
  et AS CAST(ts AS TIMESTAMP_LTZ(3)),
  WATERMARK FOR et AS et
) PARTITIONED BY (`date`, `hour`) WITH (
  {tables.options(connector)}
)"""


def span_view(config: BackfillConfig, views: Sequence[CompiledView]) -> str:
    """Return the events that the windows hold; whole hours that hold none are not even listed."""
    # And one step: a window without events has a row where the one before had some.
    first = config.after - timedelta(milliseconds=max(view.window_ms + view.slide_ms for view in views))
    return f"""CREATE TEMPORARY VIEW span AS
SELECT * FROM lake_events
WHERE `date` || '/' || `hour` BETWEEN '{_hour(first)}' AND '{_hour(config.until)}'
  AND ts >= TIMESTAMP '{_moment(first)}' AND ts < TIMESTAMP '{_moment(config.until)}'"""


def analysed_view(*, anew: bool) -> str:
    """Return the statement that names what the views read: the columns of the stream's view of the same name."""
    if not anew:
        columns = ", ".join(
            f"{_RECORDED[name]} AS `{name}`" if name in _RECORDED else f"`{name}`" for name in EXCHANGED.names
        )
        return f"CREATE TEMPORARY VIEW analysed AS\nSELECT et, {columns}\nFROM span"
    columns = ", ".join(f"q.r.`{name}` AS `{name}`" for name in EXCHANGED.names)
    return f"""CREATE TEMPORARY VIEW analysed AS
SELECT q.et, {columns}
FROM (
  SELECT et, analyse(event, et) AS r FROM span
) AS q"""


def view_insert(config: BackfillConfig, view: CompiledView) -> str:
    """Return the statement that computes a view; a row tells when it could have been read, were it live."""
    columns = ", ".join(view.schema.columns[:-1])
    return f"""INSERT INTO lake_{view.name}
SELECT {columns}, CAST({EVENT_TIMESTAMP} AS TIMESTAMP(3)),
  CAST(EXTRACT(EPOCH FROM {EVENT_TIMESTAMP}) AS BIGINT) * 1000 + {config.available_after_ms},
  {tables.date_and_hour(EVENT_TIMESTAMP)}
FROM (
{view.sql}
) WHERE {EVENT_TIMESTAMP} > {_ltz(config.after)} AND {EVENT_TIMESTAMP} <= {_ltz(config.until)}"""


def build(config: BackfillConfig, views: Sequence[CompiledView]) -> Job:
    """Build the job's SQL; pure text, nothing is started."""
    panes = dict.fromkeys(each for view in views for each in view.panes)
    return Job(
        definitions=(
            events_source(config),
            *(tables.features_sink(config.staging, view) for view in views),
            span_view(config, views),
            analysed_view(anew=config.selection is not None),
            *(panes_view(each) for each in panes),
        ),
        inserts=tuple(view_insert(config, view) for view in views),
    )


def declare(environment: TableEnvironment, config: BackfillConfig, views: Sequence[CompiledView]) -> StatementSet:
    """Register function, tables and views in `environment` and return the statement set, ready to run or explain."""
    if config.selection is not None:
        environment.create_temporary_function("analyse", analyse_function(config.selection))
    job = build(config, views)
    for statement in job.definitions:
        environment.execute_sql(statement)
    statements = environment.create_statement_set()
    for statement in job.inserts:
        statements.add_insert_sql(statement)
    return statements


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d/%H")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _ltz(moment: datetime) -> str:
    return f"TO_TIMESTAMP_LTZ({round(moment.timestamp() * 1000)}, 3)"
