"""Where feature values come from: live from the analysed events in Kafka, for the past from rows in the lake.

Settings that differ between deployments are read from the environment, with the embedded stack's as defaults; the
same variables set them for the rest of EchoPulse.
"""

from __future__ import annotations

import os
from pathlib import Path

from feast import FileSource, KafkaSource
from feast.data_format import AvroFormat, ParquetFormat

from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.topics import ANALYSIS

KAFKA_BOOTSTRAP = os.environ.get("ECHOPULSE_KAFKA__BOOTSTRAP", "127.0.0.1:19092")
LAKE = os.environ.get("ECHOPULSE_LAKE__PATH", "s3://echopulse/lake")
LAKE_ENDPOINT = os.environ.get("ECHOPULSE_LAKE__ENDPOINT", "http://127.0.0.1:18333")

_ANALYSIS_SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "analysis_result.avsc"


def feature_rows(view: str) -> FileSource:
    """Return the rows that the job writes for a view: Parquet under `<lake>/features/<view>/`."""
    return FileSource(
        name=f"{view}_rows",
        path=f"{LAKE.rstrip('/')}/features/{view}/",
        file_format=ParquetFormat(),
        timestamp_field=EVENT_TIMESTAMP,
        s3_endpoint_override=LAKE_ENDPOINT if LAKE.startswith("s3://") else None,
    )


def analysed_events(view: str) -> KafkaSource:
    """Return the stream a view aggregates, paired with its rows in the lake (Feast wants one such pair a view)."""
    return KafkaSource(
        name=f"{view}_events",
        kafka_bootstrap_servers=KAFKA_BOOTSTRAP,
        topic=ANALYSIS,
        timestamp_field="ts",
        message_format=AvroFormat(schema_json=_ANALYSIS_SCHEMA.read_text(encoding="utf-8")),
        batch_source=feature_rows(view),
    )
