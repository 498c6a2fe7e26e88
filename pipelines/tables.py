"""The tables of the job `signals`, as Flink SQL: the events it reads and everything it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas import topics
from schemas.avro import FINGERPRINT_HEADER, fingerprint

if TYPE_CHECKING:
    from features.machinery.view_spec import CompiledView, FeatureType
    from pipelines.config import SignalsConfig

_FLINK_TYPES: dict[FeatureType, str] = {"int64": "BIGINT", "float64": "DOUBLE", "string": "STRING"}


#: The columns of the lake's events, those of its partitions last.
EVENT_COLUMNS = """  event_id STRING, channel_id STRING, user_id STRING, kind STRING, target STRING, ts TIMESTAMP(3),
  toxicity DOUBLE, toxic INT, sentiment_score INT, emoji_count INT, user_key INT, text_key INT,
  late BOOLEAN, event BYTES, `result` BYTES,
  `date` STRING, `hour` STRING"""

_KEYED_BY_CHANNEL = {
    "key.format": "raw",
    "key.fields": "channel_id",
    "value.format": "raw",
    "value.fields-include": "EXCEPT_KEY",
}


def options(values: dict[str, str]) -> str:
    """Return a WITH clause's lines; quotes inside a value are doubled."""
    return ",\n  ".join(f"'{key}' = '{value.replace(chr(39), chr(39) * 2)}'" for key, value in values.items())


def events_source(config: SignalsConfig) -> str:
    """Return `social.events` as raw bytes with their record time.

    The watermark follows the record time, clamped to the wall clock: one record from the future must not make all
    others late. Heartbeats are the gateway's own and may run ahead of the clock to close a replay's last windows.
    """
    delay = f"INTERVAL '0 {clock_time(config.watermark_delay_ms)}' DAY TO SECOND(3)"
    connector = {
        "connector": "kafka",
        "topic": topics.EVENTS,
        "properties.bootstrap.servers": config.kafka_bootstrap,
        "properties.group.id": config.group,
        "properties.auto.offset.reset": config.start,
        "properties.partition.discovery.interval.ms": "60000",
        # A replay of dead letters writes in transactions: one that was broken off must not be read.
        "properties.isolation.level": "read_committed",
        "properties.fetch.max.wait.ms": "50",
        "scan.startup.mode": "group-offsets",
        "scan.watermark.idle-timeout": f"{config.idle_timeout_ms} ms",
        "format": "raw",
    }
    return f"""CREATE TEMPORARY TABLE social_events (
  `value` BYTES,
  et TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL,
  record_partition INT METADATA FROM 'partition' VIRTUAL,
  record_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  arrival AS PROCTIME(),
  WATERMARK FOR et AS CASE
    WHEN et <= CURRENT_TIMESTAMP OR record_headers['kind'] IS NOT NULL THEN et
    ELSE CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)) END - {delay}
) WITH (
  {options(connector)}
)"""


def analysis_sink(config: SignalsConfig) -> str:
    """Return `social.analysis`: AnalysisResult in Avro, keyed by channel, record time = event time."""
    return _results_sink("social_analysis", _kafka_sink(config, topics.ANALYSIS))


def shadow_sink(config: SignalsConfig) -> str:
    """Return `social.shadow`: ShadowResult in Avro, keyed by channel, record time = event time."""
    return _results_sink("social_shadow", _kafka_sink(config, topics.SHADOW))


def scopes_sink(config: SignalsConfig) -> str:
    """Return `social.trends` and `social.health`: Avro datums keyed by channel, record time = end of their window."""
    both = _one_writer(config, f"{topics.TRENDS};{topics.HEALTH}", "social_scopes")
    return _results_sink("social_scopes", both, "\n  topic STRING NOT NULL METADATA,")


def conversations_sink(config: SignalsConfig) -> str:
    """Return `social.conversations`: Avro datums keyed by channel, record time = end of their window."""
    return _results_sink("social_conversations", _one_writer(config, topics.CONVERSATIONS, "social_conversations"))


def _one_writer(config: SignalsConfig, topic: str, name: str) -> dict[str, str]:
    # Records are few, and each writer opens a transaction of its own with every checkpoint.
    writer = {"sink.parallelism": "1", "sink.transactional-id-prefix": f"{config.group}-{name}"}
    return _kafka_sink(config, topic) | writer


def _results_sink(table: str, connector: dict[str, str], more: str = "") -> str:
    return f"""CREATE TEMPORARY TABLE {table} ({more}
  channel_id STRING NOT NULL,
  `result` BYTES NOT NULL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers',
  record_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
) WITH (
  {options(connector | _KEYED_BY_CHANNEL)}
)"""


def dead_letter_sink(config: SignalsConfig) -> str:
    """Return `social.dlq`: DeadLetter in Avro, keyed by where the event came from."""
    formats = {"key.format": "raw", "key.fields": "origin", "value.format": "avro", "value.fields-include": "ALL"}
    return f"""CREATE TEMPORARY TABLE social_dlq (
  stage STRING NOT NULL,
  reason STRING NOT NULL,
  origin STRING NOT NULL,
  event_id STRING NOT NULL,
  ts TIMESTAMP(3) NOT NULL,
  original BYTES NOT NULL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers'
) WITH (
  {options(_kafka_sink(config, topics.DLQ) | formats)}
)"""


def schema_header(name: str) -> str:
    """Return the SQL of a record's headers: the fingerprint of the schema that its value is written with."""
    return f"MAP['{FINGERPRINT_HEADER}', CAST('{fingerprint(name)}' AS BYTES)]"


def lake_events_sink(config: SignalsConfig) -> str:
    """Return the lake's analysed events: what features aggregate, the original record, and the whole AnalysisResult.

    `event` is the SocialEvent, so that it can be analysed anew; `result` the Avro datum of scores, entities and models.
    A delete is a row like others, whose `target` is to be left out: readers go by transforms.standing.
    """
    return f"""CREATE TEMPORARY TABLE lake_events (
{EVENT_COLUMNS}
) PARTITIONED BY (`date`, `hour`) WITH (
  {options(_parquet_sink(config.lake.table("events"), unsorted=("event", "result")))}
)"""


def lake_features_sink(config: SignalsConfig, view: CompiledView) -> str:
    """Return the lake table of one view: its columns and `written_ms`, the wall time it became readable online."""
    return features_sink(config.lake.path, view)


def features_sink(lake: str, view: CompiledView) -> str:
    """Return the table of one view's rows in a lake, a folder or `s3://` prefix."""
    schema = view.schema
    columns = ",\n  ".join(
        f"{column.name} {_FLINK_TYPES[column.type]}" for column in (*schema.join_keys, *schema.features)
    )
    return f"""CREATE TEMPORARY TABLE lake_{view.name} (
  {columns},
  {EVENT_TIMESTAMP} TIMESTAMP(3),
  written_ms BIGINT,
  `date` STRING, `hour` STRING
) PARTITIONED BY (`date`, `hour`) WITH (
  {options(_parquet_sink(f"{lake.rstrip('/')}/features/{view.name}"))}
)"""


def _kafka_sink(config: SignalsConfig, topic: str) -> dict[str, str]:
    return {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": config.kafka_bootstrap,
        "properties.transaction.timeout.ms": str(config.transaction_timeout_ms),
        "properties.compression.type": "lz4",
        "properties.linger.ms": "20",
        "properties.batch.size": "262144",
        "properties.max.request.size": str(topics.MAX_MESSAGE_BYTES),
        "properties.delivery.timeout.ms": "300000",
        "sink.delivery-guarantee": config.delivery,
        "sink.transactional-id-prefix": f"{config.group}-{topic}",
    }


def _parquet_sink(path: str, unsorted: tuple[str, ...] = ()) -> dict[str, str]:
    return {
        "connector": "filesystem",
        "path": path,
        "format": "parquet",
        "parquet.compression": "SNAPPY",
        # Measured: building dictionaries cost a third of the whole job's CPU; files are compacted later anyway.
        "parquet.enable.dictionary": "false",
        # Nobody asks for the least or greatest of whole events; comparing each cost a twentieth of the tasks' CPU.
        **{f"parquet.column.statistics.enabled#{name}": "false" for name in unsorted},
        "parquet.utc-timezone": "true",
        "sink.rolling-policy.file-size": "128MB",
    }


def date_and_hour(column: str) -> str:
    """Return the SQL of the lake's two partition columns for an event time, in UTC.

    Casts instead of DATE_FORMAT, which parses its pattern's formatter for every row.
    """
    return f"CAST(CAST({column} AS DATE) AS STRING), LPAD(CAST(EXTRACT(HOUR FROM {column}) AS STRING), 2, '0')"


def clock_time(milliseconds: int) -> str:
    """Return a duration of less than a day as HH:MM:SS.mmm, as Flink's interval literals want it."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
