"""`echopulse pipeline`: the Flink job, on the cluster that the settings name."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit

app = App(name="pipeline", help="Run, submit or explain the Flink job.")
app.command("echopulse.cli.pipeline_backfill:backfill", name="backfill", help="Compute the past anew.")

_RUNNING_S = 240.0
_STOP_S = 200.0


@app.command
def run(job: str = "signals", *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Submit a job and stay until it ends; Ctrl-C stops it with a savepoint.

    Parameters
    ----------
    job
        Name of the job.
    """
    import time

    from echopulse.cli.interrupt import ended_by_signal
    from echopulse.job.check_watch import consistency_watched
    from echopulse.job.cluster import ENDED, FlinkCluster
    from echopulse.job.exporter import metrics_served
    from echopulse.job.submit import known_job
    from schemas.errors import EchoPulseError

    known_job(job)
    settings = options.settings()
    with (
        metrics_served(settings) as registry,
        FlinkCluster(settings.flink.rest) as cluster,
        ended_by_signal(),
        consistency_watched(settings, registry),
    ):
        job_id = _submit(job, options)
        cluster.wait_running(job_id, _RUNNING_S)
        try:
            while (state := cluster.state(job_id)) not in ENDED:
                time.sleep(1.0)
        except KeyboardInterrupt:
            savepoint = cluster.stop(job_id, _savepoints(options), _STOP_S)
            emit({"job": job, "id": job_id, "savepoint": savepoint}, options.json, f"stopped; savepoint {savepoint}")
            return
        if state == "FAILED":
            raise EchoPulseError(f"job {job} failed: {cluster.failure(job_id)}", f"see {cluster.rest}")
    emit({"job": job, "id": job_id, "state": state}, options.json, f"{job} is {state}")


@app.command
def submit(
    job: str = "signals",
    *,
    savepoint: Annotated[str, Parameter(show_default=False)] = "",
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Send a job to the Flink cluster and return when all its tasks run.

    Parameters
    ----------
    job
        Name of the job.
    savepoint
        Take up the state that `pipeline stop` or `savepoint` wrote there.
    """
    from echopulse.job.cluster import FlinkCluster

    settings = options.settings()
    job_id = _submit(job, options, savepoint)
    with FlinkCluster(settings.flink.rest) as cluster:
        cluster.wait_running(job_id, _RUNNING_S)
    emit({"job": job, "id": job_id}, options.json, f"{job} runs as {job_id}, see {settings.flink.rest}")


@app.command
def explain(job: str = "signals", *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Print the plan that Flink makes of a job, and count its Python operators.

    Nothing is submitted and no server is needed; the planner's JVM takes
    some seconds.

    Parameters
    ----------
    job
        Name of the job.
    """
    from echopulse.job.plan import python_calls
    from echopulse.job.submit import declare, known_job

    known_job(job)
    plan = declare(options.settings(), remote=False).explain()
    calls = python_calls(plan)
    document = {"job": job, "python_operators": calls, "analysis_operators": calls.get("analyse", 0), "plan": plan}
    counted = ", ".join(f"{name} {count}" for name, count in calls.items())
    emit(document, options.json, f"{plan}\nPython operators: {counted}")


@app.command(name="list")
def list_jobs(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """List the jobs that can be submitted, and those the cluster knows."""
    from echopulse.job.cluster import FlinkCluster
    from echopulse.job.submit import JOBS

    settings = options.settings()
    with FlinkCluster(settings.flink.rest) as cluster:
        jobs = cluster.jobs()
    known = "\n".join(f"{name}: {what}" for name, what in JOBS.items())
    there = "\n".join(f"{job.id} {job.name} {job.state}" for job in jobs)
    emit(
        {"jobs": JOBS, "cluster": [asdict(job) for job in jobs]},
        options.json,
        f"{known}\non {settings.flink.rest}:\n{there or 'none'}",
    )


@app.command
def savepoint(job: str = "signals", *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Write a savepoint of the running job, which goes on.

    Parameters
    ----------
    job
        Name of the job.
    """
    from echopulse.job.cluster import FlinkCluster
    from echopulse.job.submit import known_job

    with FlinkCluster(options.settings().flink.rest) as cluster:
        running = cluster.job(known_job(job))
        where = cluster.savepoint(running.id, _savepoints(options), _STOP_S)
    emit({"job": job, "id": running.id, "savepoint": where}, options.json, where)


@app.command
def stop(job: str = "signals", *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Stop the running job with a savepoint; open windows stay open in it.

    Parameters
    ----------
    job
        Name of the job.
    """
    from echopulse.job.cluster import FlinkCluster
    from echopulse.job.submit import known_job

    with FlinkCluster(options.settings().flink.rest) as cluster:
        running = cluster.job(known_job(job))
        where = cluster.stop(running.id, _savepoints(options), _STOP_S)
    emit({"job": job, "id": running.id, "savepoint": where}, options.json, f"stopped; savepoint {where}")


@app.command(name="check-strategy")
def check_strategy(file: Path, *, model: str = "default", options: GlobalOptions = NO_OPTIONS) -> None:
    """Hold the strategies of a file against the contract, on hostile texts.

    Exit 1 where one does not conform: a wrong length or type, a null, an
    error, a row that depends on its batch. They are opened with the
    settings' strategy_options.

    Parameters
    ----------
    file
        A Python file with subclasses of transforms.strategy.Strategy.
    model
        The artifact that the strategies open: a name or a folder.
    """
    from schemas.errors import EchoPulseError
    from transforms.artifact import find_artifact
    from transforms.conformance import faults
    from transforms.discovery import load_file
    from transforms.selection import options_of
    from transforms.strategy import Context

    artifact, chosen = find_artifact(model), options.settings().strategy_options
    found: dict[str, list[str]] = {}
    for declared in load_file(file):
        strategy = declared()
        strategy.open(Context(artifact, options_of(chosen, strategy.kind, strategy.name)))
        found[f"{strategy.kind}/{strategy.name}"] = faults(strategy)
        strategy.close()
    told = [f"{name}: {fault}" for name, wrong in found.items() for fault in wrong or ["conforms"]]
    emit({"file": str(file), "strategies": found}, options.json, "\n".join(told))
    wrong = sum(map(len, found.values()))
    if wrong:
        counted = f"{wrong} fault{'s' if wrong > 1 else ''}"
        raise EchoPulseError(f"{file}: {counted}", "docs/strategies.md has the contract")


def _submit(job: str, options: GlobalOptions, savepoint: str = "") -> str:
    from echopulse.gateway.topics_admin import ensure_topics
    from echopulse.job.submit import declare, execute, known_job

    known_job(job)
    settings = options.settings()
    ensure_topics(settings.kafka.bootstrap, replication=settings.kafka.replication)
    return execute(declare(settings, remote=True, savepoint=savepoint))


def _savepoints(options: GlobalOptions) -> str:
    """Return the folder of savepoints: beside the embedded cluster's own data."""
    return (options.settings().home.absolute() / "data" / "flink" / "savepoints").as_uri()
