"""`echopulse registry promote`, `rollback`, `timeline` and `follow`: who scores events of which time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from echopulse.cli.steps import step
from schemas.errors import UsageError

_Quiet = Parameter(show_default=False)


def promote(
    reference: str,
    *,
    at: Annotated[str | None, _Quiet] = None,
    approver: str = "",
    data: Annotated[Path | None, _Quiet] = None,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Judge a model by the gates and make it the champion of its task.

    Exits 1, naming the gates, where one does not pass it; the champion
    goes on.

    Parameters
    ----------
    reference
        TASK@sha256:PREFIX or TASK@challenger.
    at
        From which event time on it scores: ms since 1970, or a time such as 2026-01-31T08:00Z. Without it, as soon
        as every worker can know.
    approver
        Who approves it, where the gates ask for a role.
    data
        Folder of the labelled files that the gates read; default: training_data of the settings.
    """
    from dataclasses import asdict

    from echopulse.cli.moment import read_moment
    from echopulse.registry.opening import opened_store, parse_reference
    from echopulse.registry.promotion import Promotion
    from echopulse.registry.promotion import promote as judge_and_promote
    from echopulse.registry.report import moment, not_scored_by_timeline, step_document

    settings = options.settings()
    at_ms = None if at is None else int(at) if at.isdigit() else round(read_moment("--at", at).timestamp() * 1_000)
    asked = Promotion(parse_reference(reference), at_ms, approver, data)
    with opened_store(settings) as store:
        change, verdict = judge_and_promote(store, settings, asked, step)
    document = {"task": verdict.task, **step_document(change), "verdict": asdict(verdict)}
    if unheard := not_scored_by_timeline(settings, verdict.task):
        step(unheard)
    emit(
        document,
        options.json,
        lambda: f"{verdict.task}@{change.digest} is the champion from {moment(change.valid_from_ms)} on",
    )


def rollback(task: str, *, by: str = "", options: GlobalOptions = NO_OPTIONS) -> None:
    """Go back to the champion before the last change, within seconds.

    Parameters
    ----------
    task
        sentiment, toxicity, offensive, hate or stance.
    by
        Who does it, for the timeline.
    """
    from echopulse.registry.opening import opened_store
    from echopulse.registry.promotion import rollback as go_back
    from echopulse.registry.report import moment, step_document

    if "@" in task:
        raise UsageError(f"'{task}' is a model; a task is rolled back", task.partition("@")[0])
    settings = options.settings()
    with opened_store(settings) as store:
        change = go_back(store, settings, task, by)
    document = {"task": task, **step_document(change)}
    emit(document, options.json, lambda: f"{task}@{change.digest} scores again from {moment(change.valid_from_ms)} on")


def timeline(task: str, *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show which model scores events of which time.

    Parameters
    ----------
    task
        sentiment, toxicity, offensive, hate or stance.
    """
    from echopulse.registry.opening import opened_store
    from echopulse.registry.report import moment, steps

    with opened_store(options.settings()) as store:
        found = steps(store.timeline(task))
    lines = (
        f"{one['digest'][:19]}  from {moment(one['valid_from_ms'])}  {one['kind']}"
        + (f" by {one['by']}" if one["by"] else "")
        for one in found
    )
    emit({"task": task, "entries": found}, options.json, lambda: "\n".join(lines) or f"{task} has no champion yet")


def follow(*tasks: str, options: GlobalOptions = NO_OPTIONS) -> None:
    """Keep the timelines up to date that workers score by, until Ctrl-C or SIGTERM.

    It writes them, and the models that they name, to home/models, which
    strategies name in their option timeline.

    Parameters
    ----------
    tasks
        Those that are scored by their timelines.
    """
    import threading

    from echopulse.cli.stop_signal import stopped_by_signal
    from echopulse.registry.follow import follow as keep_renewing
    from echopulse.registry.opening import opened_store

    if not tasks:
        raise UsageError("no task given", "echopulse registry follow sentiment toxicity")
    settings, stop = options.settings(), threading.Event()
    folder = (settings.home / "models").absolute()
    with stopped_by_signal(stop.set), opened_store(settings) as store:
        step(f"the timelines of {', '.join(tasks)} are kept in {folder}")
        renewed = keep_renewing(store, folder, tasks, settings.registry.lead_ms, stop, step)
    emit({"tasks": list(tasks), "folder": folder, "renewed": renewed}, options.json, f"renewed {renewed} times")
