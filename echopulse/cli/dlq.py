"""`echopulse dlq`: dead letters listed, shown and replayed."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit
from schemas.errors import UsageError

app = App(name="dlq", help="Look at dead letters and replay them.")

_Quiet = Parameter(show_default=False)
_Flag = Parameter(negative=(), show_default=False)
Stage = Annotated[str, _Quiet]
_SHOWN_TEXT = 2_000
_SHOWN_BYTES = 256


@app.command(name="ls")
def list_letters(
    *,
    stage: Stage = "",
    reason: Annotated[str, _Quiet] = "",
    since: Annotated[str, _Quiet] = "",
    source: Annotated[str, _Quiet] = "",
    channel: Annotated[str, _Quiet] = "",
    all_: Annotated[bool, Parameter(name="--all", negative=(), show_default=False)] = False,
    limit: int = 20,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Count the dead letters that wait, by stage and reason, and list the newest.

    Parameters
    ----------
    stage
        parse, validate, time, produce, decode, extract or analyse.
    reason
        A part of the reason.
    since
        A time (2026-01-31T12:00:00Z), or a span before now: 90s, 30m, 2h, 7d.
    source
        The platform or connector that the event came from, where it can be read.
    channel
        Its channel, where it can be read.
    all_
        Letters that were replayed as well.
    limit
        So many are listed.
    """
    from echopulse.cli.progress_bar import progress_bar
    from echopulse.dead_letters.listing import list_waiting
    from echopulse.dead_letters.selection import select
    from echopulse.gateway.dead_letters import now_ms

    if limit < 1:
        raise UsageError(f"--limit must be 1 or more, found {limit}")
    selection = select(stage, reason, since, source, channel, now_ms())
    bootstrap = options.settings().kafka.bootstrap
    with progress_bar("social.dlq") as draw:
        listed = list_waiting(
            bootstrap,
            selection,
            limit=limit,
            replayed_too=all_,
            on_progress=lambda read, share: draw(share, f"{counted(read, 'letter')} read"),
        )
    document = {
        "waiting": listed.waiting,
        "replayed": listed.replayed,
        "counts": listed.counts.told(),
        "letters": [row.document() for row in listed.newest],
    }
    emit(document, options.json, lambda: _list_text(document))


@app.command
def show(letter: str, /, *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show one dead letter: where it comes from, what it says, what to do.

    Parameters
    ----------
    letter
        Its id, as `dlq ls` lists it.
    """
    from echopulse.dead_letters.description import describe
    from echopulse.dead_letters.letter import LetterId

    wanted = LetterId.parse(letter)
    document = describe(options.settings().kafka.bootstrap, wanted)
    emit(document, options.json, lambda: _letter_text(document))


@app.command
def replay(  # noqa: PLR0913 - each is an option of its own
    *,
    stage: Stage = "",
    since: Annotated[str, _Quiet] = "",
    reason: Annotated[str, _Quiet] = "",
    source: Annotated[str, _Quiet] = "",
    channel: Annotated[str, _Quiet] = "",
    mapping: Annotated[str, _Quiet] = "",
    attempts: int = 3,
    dry_run: Annotated[bool, _Flag] = False,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Bring dead letters back into social.events, each exactly once.

    Events keep their times. A letter that would fail again as things are
    stays and is reported. Stopped at any moment, another replay goes on.

    Parameters
    ----------
    stage
        Letters of this stage alone; all without it.
    since
        Written since a time, or within a span before now: 90s, 30m, 2h, 7d.
    reason
        With this in their reason.
    source
        From this platform or connector, where it can be read.
    channel
        Of this channel, where it can be read.
    mapping
        For frames: a mapping in place of the one that refused them.
    attempts
        An event that was replayed so often and failed again stays.
    dry_run
        Say what would happen, and write nothing.
    """
    from dataclasses import asdict

    from echopulse.cli.progress_bar import progress_bar
    from echopulse.dead_letters.replaying import replay_letters
    from echopulse.dead_letters.selection import select
    from echopulse.gateway.dead_letters import now_ms
    from echopulse.gateway.mapping import load_mapping

    if attempts < 1:
        raise UsageError(f"--attempts must be 1 or more, found {attempts}")
    selection = select(stage, reason, since, source, channel, now_ms())
    if mapping:
        load_mapping(mapping)
    bootstrap = options.settings().kafka.bootstrap
    with progress_bar("social.dlq") as draw:
        outcome = replay_letters(
            bootstrap,
            selection,
            most_attempts=attempts,
            mapping=mapping,
            dry_run=dry_run,
            on_progress=lambda far: draw(far.share, f"{far.replayed:,} replayed, {far.failing:,} still failing"),
        )
    document = asdict(outcome)
    emit(document, options.json, lambda: _replay_text(document))


def _list_text(document: dict[str, Any]) -> str:
    lines = [f"{counted(document['waiting'], 'dead letter')} waiting, {document['replayed']:,} replayed"]
    for stage, reasons in document["counts"].items():
        lines.append(f"\n{stage}: {sum(reasons.values()):,}")
        lines += [f"  {count:>9,}  {reason}" for reason, count in reasons.items()]
    if document["letters"]:
        lines.append("\nthe newest:")
    for row in document["letters"]:
        place = "/".join(filter(None, (row["source"], row["channel"])))
        state = f"  replayed {row['replayed_at']}" if row["replayed_at"] else ""
        tried = f"  tried {counted(row['attempts'], 'time')}" if row["attempts"] else ""
        whence = f"  {row['origin']}" if row["origin"] else ""
        head = f"{row['id']}  {row['at']}  {row['stage']:<9} {place or '-'}{whence}{tried}{state}"
        lines.append(f"{head}\n    {row['reason']}")
    return "\n".join(lines)


def _letter_text(document: dict[str, Any]) -> str:
    import orjson

    lines = [
        f"{document['id']}, written {document['at']}",
        f"stage     {document['stage']}",
        f"reason    {document['reason']}",
        f"origin    {document['origin']}: {document['origin_told']}",
    ]
    lines += [f"{name:<9} {document[name]}" for name in ("event_id", "source", "channel") if document[name]]
    lines.append(f"attempts  {document['attempts']}")
    if document["decoded"] is not None:
        pretty = orjson.dumps(document["decoded"], option=orjson.OPT_INDENT_2).decode()
        lines.append(f"\n{pretty[:_SHOWN_TEXT]}")
    else:
        lines.append(f"\n{document['text'][:_SHOWN_TEXT]}")
    lines += ["", *document["hex_view"]]
    if document["bytes"] > _SHOWN_BYTES:
        lines.append(f"... {counted(document['bytes'], 'byte')} in all; --json has them")
    return "\n".join([*lines, "", document["advice"], document["outlook"]])


def _replay_text(document: dict[str, Any]) -> str:
    from echopulse.gateway.event_time import iso

    verb = "would be replayed" if document["dry_run"] else "replayed"
    lines = [f"{document['replayed']:,} {verb} in {document['seconds']:.1f} s"]
    if document["first_ts_ms"] is not None:
        lines.append(
            f"event times {iso(document['first_ts_ms'])} to {iso(document['last_ts_ms'])}; windows that have fired "
            "are not mended by them"
        )
    for name, told in (
        ("filtered", "are left out by their mapping now"),
        ("done_before", "were replayed before"),
        ("given_up", "failed as often as they may and stay"),
        ("still_failing", "would fail again and stay:"),
    ):
        if document[name]:
            lines.append(f"{document[name]:,} {told}")
    for stage, reasons in document["reasons"].items():
        lines += [f"  {count:>9,}  {stage}: {reason}" for reason, count in reasons.items()]
    return "\n".join(lines)
