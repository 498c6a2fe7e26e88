"""A job as small as can be, sent to a session cluster: arguments BOOTSTRAP REST_PORT OUTPUT JAR..."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink.common import Configuration
from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udf

if TYPE_CHECKING:
    import pandas as pd


def topics_of(values: pd.Series[str]) -> pd.Series[str]:
    """Import the project inside the worker, as every real function does."""
    from schemas.topics import TOPICS  # noqa: PLC0415 imported where it must be found

    return values + f" of {len(TOPICS)}"


def main(bootstrap: str, rest_port: str, output: str, jars: list[str]) -> None:
    """Run the job to its end on what the topic holds now."""
    configuration = Configuration()
    for key, value in {
        "execution.target": "remote",
        "rest.address": "127.0.0.1",
        "rest.port": rest_port,
        "pipeline.jars": ";".join(Path(jar).as_uri() for jar in jars),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "execution.checkpointing.interval": "1s",
    }.items():
        configuration.set_string(key, value)
    settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    tables = TableEnvironment.create(settings)
    tables.create_temporary_function("topics_of", udf(topics_of, result_type=DataTypes.STRING(), func_type="pandas"))
    tables.execute_sql(
        "CREATE TABLE source (v STRING) WITH ('connector' = 'kafka', 'topic' = 'input', 'format' = 'raw', "
        f"'properties.bootstrap.servers' = '{bootstrap}', 'properties.group.id' = 'job', "
        "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset')"
    )
    columns = f"(v STRING) WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'parquet')"
    tables.execute_sql(f"CREATE TABLE lake {columns}")
    tables.execute_sql("INSERT INTO lake SELECT topics_of(v) FROM source").wait(300_000)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
