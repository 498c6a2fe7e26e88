"""`echopulse feature compact` and `forget`: what keeps the lake in order."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.moment import read_moment
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import redrawn_steps
from schemas.errors import UsageError

_REPO = Path("features")


def compact(
    *,
    before: Annotated[str | None, Parameter(show_default=False)] = None,
    retain: bool = False,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Merge the lake's small files, hour by hour; with --retain, delete first what lake.retention_days lets go.

    Parameters
    ----------
    before
        Only hours that have ended by then, such as 2026-01-31T08:00Z; default: an hour ago.
    retain
        Apply the policy too.
    """
    until = read_moment("--before", before) if before else datetime.now(UTC) - timedelta(hours=1)
    from echopulse.job.forget import settle_s
    from echopulse.job.lake import opened
    from features.lake import compaction, retention
    from features.lake.lease import held
    from features.lake.listing import tables

    settings = options.settings()
    lake = opened(settings.lake)
    now, retained, compacted = datetime.now(UTC), [], []
    with redrawn_steps() as on_step, held(lake, "feature compact") as lease:
        for table in tables(lake):
            days = retention.days_of(settings.lake.retention_days, table) if retain else None
            if days is not None:
                on_step(f"{table}, retention")
                retained.append(retention.retain(lake, table, lease, days, now))
            compacted.append(compaction.compact(lake, table, lease, until, settle_s(settings), on_step))
    document = {
        "lake": settings.lake.path,
        "before": until,
        "settle_seconds": settle_s(settings),
        "retain": retain,
        "retained": [asdict(done) for done in retained],
        "compacted": [asdict(done) for done in compacted],
    }
    emit(document, options.json, lambda: _compaction_text(document))


def forget(
    *,
    user: str,
    channel: str | None = None,
    data: Path | None = None,
    repo: Annotated[Path, Parameter(name="--repo")] = _REPO,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Erase one user's rows from the lake, their features from the online store, and their labelled texts.

    Parameters
    ----------
    user
        The user's id, as events have it.
    channel
        Only events of this channel; the user's features go all the same.
    data
        Folder of labelled Parquet files: those with a column user_id are rewritten too.
    repo
        Folder of the Feast repository, whose views say which keys of the online store are a user's.
    """
    if not user:
        raise UsageError("--user is empty", "events without a user are nobody's")
    from echopulse.job.forget import forget as erase
    from features.machinery.catalog import compiled_views

    settings = options.settings()
    with redrawn_steps() as on_step:
        on_step("reading the declarations of views")
        views = compiled_views(repo, settings.home)
        on_step("looking for the user in the lake")
        done = erase(settings, views, user, channel, data, on_step)
    emit({"user": user, "channel": channel, **asdict(done)}, options.json, lambda: _forgotten_text(asdict(done)))


def _compaction_text(document: dict[str, Any]) -> str:
    lines = [
        f"{done['table']}: {counted(done['rows'], 'row')} before {done['before']:%Y-%m-%d %H:%M} deleted"
        for done in document["retained"]
    ]
    if document["retain"] and not document["retained"]:
        lines.append("nothing deleted: lake.retention_days names no table that is there")
    lines += [_merged_text(done, document) for done in document["compacted"]]
    return "\n".join(lines) or f"{document['lake']}: no tables yet"


def _merged_text(done: dict[str, Any], document: dict[str, Any]) -> str:
    """Tell what became of a table's files, and why those that were left were."""
    from features.lake.compaction import LARGE_BYTES

    left = {
        f"of hours that end after {document['before']:%Y-%m-%d %H:%M} UTC": done["recent"],
        f"younger than {document['settle_seconds']:g} s, which a restart of the job may look for": done["young"],
        f"of {LARGE_BYTES >> 20} MiB or more": done["large"],
    }
    if done["partitions"]:
        what = f"{done['table']}: {counted(done['files_before'], 'file')}, now {done['files_after']:,}"
    else:
        what = f"{done['table']}: {counted(done['files_before'], 'file')}, nothing merged"
        left["alone in their hour"] = done["files_before"] - sum(left.values())
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in left.items() if number)
    return f"{what}: {reasons}" if reasons else what


def _forgotten_text(done: dict[str, Any]) -> str:
    lines = [f"{table}: {counted(rows, 'row')} erased" for table, rows in done["rows"].items()]
    lines += [f"{name}: {counted(rows, 'labelled row')} erased" for name, rows in done["labelled"].items()]
    lines.append(f"online store: {counted(done['online_keys'], 'key')} deleted")
    return "\n".join([*lines, f"record: {done['record']}"] if done["record"] else [*lines, "the lake held nothing"])
