"""`echopulse feature check`: are the values online what the lake's events give?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.moment import read_moment
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import redrawn_steps
from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from echopulse.job.check import Checked
    from features.machinery.consistency import Disagreement
    from features.machinery.view_spec import ViewSpec


def check(
    *views: str,
    sample: int = 100,
    seed: int = 1,
    at: Annotated[str | None, Parameter(show_default=False)] = None,
    repo: Annotated[Path, Parameter(name="--repo")] = Path("features"),
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Compute online values of some entities anew from the lake's events, and say what differs.

    Exits 1 where a value is wrong, missing, extra or unreadable, and names
    the worst. What the lake does not hold yet is waited for, a minute at
    most, and left out where it does not come.

    Parameters
    ----------
    views
        Names of views; without one, all.
    sample
        Entities from the online store, and as many from the lake.
    seed
        Chooses the entities; the same seed, the same ones.
    at
        Only windows that end by then, such as 2026-01-31T08:00Z.
    repo
        Folder of the Feast repository.
    """
    if sample < 1:
        raise UsageError(f"--sample {sample} is not above 0")
    at_ms = round(read_moment("--at", at).timestamp() * 1_000) if at else None
    from echopulse.job.check import Request
    from echopulse.job.check import check as compare
    from features.machinery.catalog import declared_views

    settings = options.settings()
    chosen = _chosen(declared_views(repo, settings.home), views)
    with redrawn_steps() as on_step:
        found = compare(settings, chosen, Request(sample, seed, at_ms), on_step)
    finish(found, sample, seed, json=options.json)


def finish(found: Checked, sample: int, seed: int, *, json: bool) -> None:
    """Print what was found. Raises EchoPulseError that names the worst where values are not what they should be."""
    document = {
        "complete": datetime.fromtimestamp(found.complete_ms / 1_000, UTC),
        "sample": sample,
        "seed": seed,
        "earlier_job_until": None
        if found.earlier_ms is None
        else datetime.fromtimestamp(found.earlier_ms / 1_000, UTC),
        "before_job": found.before_job,
        **found.totals,
        "views": {name: asdict(report) for name, report in found.views.items()},
        "worst": asdict(found.worst) if found.worst else None,
    }
    emit(document, json, lambda: _text(found))
    if found.wrong:
        worst = f"; the worst: {_told(found.worst)}" if found.worst else ""
        many = f"{found.wrong:,} values online are not what they should be"
        raise EchoPulseError(f"{'1 value online is not what it should be' if found.wrong == 1 else many}{worst}")


def _chosen(declared: list[ViewSpec], names: tuple[str, ...]) -> list[ViewSpec]:
    known = {view.name: view for view in declared}
    for name in names:
        if name not in known:
            raise EchoPulseError(f"no feature view '{name}'", did_you_mean(name, known))
    return [known[name] for name in dict.fromkeys(names)] if names else declared


def _told(worst: Disagreement | None) -> str:
    if worst is None:
        return ""
    entity = ", ".join(f"{key}={value}" for key, value in worst.entity.items())
    end = datetime.fromtimestamp(worst.event_timestamp / 1_000, UTC)
    return (
        f"{worst.view} {entity} {worst.feature} at {end:%Y-%m-%d %H:%M:%S} UTC, {worst.outcome}: "
        f"online {_value(worst.online)}, recomputed {_value(worst.recomputed)}"
    )


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)


def _text(found: Checked) -> str:
    complete = datetime.fromtimestamp(found.complete_ms / 1_000, UTC)
    lines = [f"the lake is complete up to {complete:%Y-%m-%d %H:%M:%S} UTC"]
    if found.earlier_ms is not None:
        until = datetime.fromtimestamp(found.earlier_ms / 1_000, UTC)
        lines.append(
            "the job began without the state of the one before it, which counted events up to "
            f"{until:%Y-%m-%d %H:%M:%S} UTC: rows of windows that begin before are not checked, "
            f"{found.before_job:,} before_job"
        )
    for name, report in found.views.items():
        lines.append(
            f"{name}: {report.checked:,} of {counted(report.entities, 'row')} checked, "
            f"of them {report.missing:,} missing, {report.stale:,} stale; "
            f"not checked {report.older:,} older, {report.unsettled:,} unsettled, {report.before_job:,} before_job, "
            f"{report.absent:,} absent, {report.unreadable:,} unreadable; "
            f"in their windows {report.late_events:,} late_events"
        )
        if report.given_up:
            entities = "entity" if report.given_up == 1 else "entities"
            lines.append(
                f"  {report.given_up:,} {entities} given_up: with theirs the events are too many for the memory"
            )
        width = max(len(feature) for feature in report.features)
        # Of a feature that has no value yet `mismatch 0` would read like a success.
        held = {feature: counts for feature, counts in report.features.items() if any(counts.values())}
        lines += [f"  {feature:<{width}}  {_counts(counts)}" for feature, counts in held.items()]
    return "\n".join(lines)


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{outcome} {count:,}" for outcome, count in counts.items() if count or outcome == "mismatch")
