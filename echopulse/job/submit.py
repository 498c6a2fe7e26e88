"""The job `signals` declared and sent to the cluster."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import features
from echopulse.job.configuration import signals_config
from echopulse.job.lake import opened
from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink.table import StatementSet
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

    from echopulse.settings import Settings
    from transforms.selection import Selection

#: The Feast repository whose views the job computes.
FEATURES = Path(features.__file__).parent

SIGNALS = "signals"
#: The jobs there are, and what each is for.
JOBS = {SIGNALS: "the stream: analysis, windows and every sink"}
#: The global parameter of a job that took up the state of an earlier one: where from.
TAKEN_UP = "echopulse.taken-up"


def known_job(name: str) -> str:
    """Return `name` where it is a job of ours. Raises UsageError with the near miss."""
    if name not in JOBS:
        raise UsageError(f"no job is called '{name}'", did_you_mean(name, JOBS))
    return name


def declare(
    settings: Settings,
    *,
    remote: bool,
    savepoint: str = "",
    analyse: UserDefinedScalarFunctionWrapper | None = None,
) -> StatementSet:
    """Declare the job in a Flink environment, to be run on the settings' cluster where `remote`.

    `savepoint` is where its state is taken up from; `analyse` replaces the analysis pass.
    Takes some seconds: a JVM is started to plan in. The strategies are opened here first, and the lake where the job
    is to run: what is missing or refused is told in one line, not by a job that restarts over and over. Raises
    EchoPulseError.
    """
    from echopulse.job.planner_jvm import prepare_jvm
    from echopulse.stack import flink_jars
    from features.machinery.catalog import compiled_views
    from pipelines.environment import environment
    from pipelines.signals import declare as declare_signals

    config = signals_config(settings)
    if remote:
        opened(settings.lake)
    if analyse is None:
        _open_strategies(config.selection)
    views = compiled_views(FEATURES, settings.home)
    extra = _taken_up(savepoint) if savepoint else {}
    jars: list[Path] = flink_jars(settings)
    prepare_jvm()
    with _told():
        table_environment = environment(config, jars, settings.flink.rest if remote else None, extra)
        return declare_signals(table_environment, config, views, analyse)


def _taken_up(savepoint: str) -> dict[str, str]:
    """Return the Flink settings that go on from a savepoint, and note on the job that it did."""
    return {
        "execution.state-recovery.path": savepoint,
        # A map in one text: a value with colons stands in quotes.
        "pipeline.global-job-parameters": f"{TAKEN_UP}:'{savepoint}'",
    }


def _open_strategies(selection: Selection) -> None:
    active, shadow = selection.open()
    for _, strategy in (*active, *shadow):
        strategy.close()


def execute(statements: StatementSet) -> str:
    """Send the declared job to its cluster and return its id. Raises EchoPulseError where the cluster refuses it."""
    with _told():
        client = statements.execute().get_job_client()
    if client is None:
        raise EchoPulseError("Flink took the job and gave no id for it")
    return str(client.get_job_id())


@contextmanager
def _told() -> Iterator[None]:
    """Turn what Flink throws into one line: the innermost cause."""
    from py4j.protocol import Py4JJavaError
    from pyflink.util.exceptions import JavaException

    try:
        yield
    except (Py4JJavaError, JavaException) as error:
        raise EchoPulseError(f"Flink refused the job: {innermost(str(error))}") from error


def innermost(text: str) -> str:
    """Return the innermost cause of what Flink throws, in one line."""
    causes = [line.strip() for line in text.splitlines() if line.strip().startswith("Caused by:")]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return causes[-1].removeprefix("Caused by:").strip() if causes else (lines[0] if lines else "no reason given")
