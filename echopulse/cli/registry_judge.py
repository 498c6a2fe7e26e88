"""`echopulse registry gates`, `judge` and `shadow`: what a challenger is asked before it may become the champion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from echopulse.cli.steps import step

_MOST_SHOWN_OF_A_TEXT = 120
_LONGEST_WAIT_S = 86_400


def gates(task: str, *, options: GlobalOptions = NO_OPTIONS) -> None:
    """List the gates that a task's models are judged by, and the role whose approval is asked for.

    Parameters
    ----------
    task
        sentiment, toxicity, offensive, hate or stance.
    """
    from echopulse.registry.gates.declaration import SHIPPED, read_gates

    path = Path(options.settings().registry.gates or SHIPPED)
    declared = read_gates(path, task)
    listed = [{"gate": gate.name, **gate.model_dump()} for gate in declared.gates]
    document = {"task": task, "file": path, "digest": declared.digest, "role": declared.role, "gates": listed}
    lines = [" ".join(f"{key}={value}" for key, value in each.items()).removeprefix("gate=") for each in listed]
    approval = f"\nan approval by the role '{declared.role}'" if declared.role else ""
    emit(document, options.json, lambda: "\n".join(lines) + approval)


def judge(
    reference: str,
    *,
    data: Annotated[Path | None, Parameter(show_default=False)] = None,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Ask the gates about a model and sign what they say, without promoting it.

    Exits 1, naming the gates, where one does not pass it.

    Parameters
    ----------
    reference
        TASK@sha256:PREFIX or TASK@challenger.
    data
        Folder of the labelled files that the gates read; default: training_data of the settings.
    """
    from dataclasses import asdict

    from echopulse.registry.opening import opened_store, parse_reference
    from echopulse.registry.promotion import judge as ask

    settings = options.settings()
    with opened_store(settings) as store:
        verdict = ask(store, settings, parse_reference(reference), data, step)
    document = {"task": verdict.task, "digest": verdict.digest, "verdict": asdict(verdict)}
    emit(document, options.json, lambda: f"{verdict.task}@{verdict.digest}: all {len(verdict.results)} gates pass it")


def shadow(
    reference: str,
    *,
    events: Annotated[int, Parameter(show_default=False)] = 0,
    wait: float = 0,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Compare what a model said in shadow with what the champion said of the same events.

    Parameters
    ----------
    reference
        TASK@sha256:PREFIX or TASK@challenger.
    events
        How many of the newest are compared; default: as many as the gate shadow_agreement wants, else 10,000.
    wait
        Seconds to wait until there are as many as the gate wants, at most; it is no failure if there are fewer.
    """
    from echopulse.registry.gates.declaration import SHIPPED, read_gates
    from echopulse.registry.gates.shadow import ShadowAgreement
    from echopulse.registry.opening import find, opened_store, parse_reference
    from echopulse.registry.shadow import MOST_SHOWN, seen_in_shadow, wait_for_events
    from echopulse.registry.store import CHALLENGER
    from schemas.errors import UsageError

    if not 0 <= wait <= _LONGEST_WAIT_S:
        raise UsageError(f"--wait {wait:g}: from 0 to {_LONGEST_WAIT_S:,} seconds")
    settings, named = options.settings(), parse_reference(reference)
    declared = read_gates(Path(settings.registry.gates or SHIPPED), named.task)
    wanted = max((gate.events for gate in declared.gates if isinstance(gate, ShadowAgreement)), default=0)
    with opened_store(settings) as store:
        digest = find(store, named).digest
        if wait:
            wait_for_events(settings, named.task, digest, wanted, wait)
        challenger = store.pointed(named.task, CHALLENGER)
    document = seen_in_shadow(settings, named.task, digest, events or wanted or MOST_SHOWN)
    document |= {
        "task": named.task,
        "wanted": wanted,
        "challenger": challenger is not None and challenger.digest == digest,
    }
    emit(document, options.json, lambda: "\n".join(shadow_lines(document)))


def shadow_lines(seen: dict[str, Any]) -> list[str]:
    """Return a comparison in shadow as lines for a person."""
    from echopulse.registry.report import moment

    if not seen["events"]:
        return ["in shadow: it has scored no event"]
    cost = seen["ms_per_thousand"]
    span = f"{moment(seen['since_ms'])} to {moment(seen['until_ms'])}"
    lines = [
        f"in shadow: agrees with the champion on {100 * seen['agreement']:.1f} % of {seen['events']:,} events, {span}",
        f"  {cost['model']:.2f} ms a thousand texts, the champion {cost['champion']:.2f}",
    ]
    if (done := seen["would_have_actioned"]) is not None:
        lines.append(
            f"  would have actioned {done['model']:,}, the champion {done['champion']:,}, both {done['both']:,}"
        )
    lines += [
        f"  {pair['events']:>8,}  champion {pair['champion']}, it {pair['model']}"
        for pair in seen["labels"]
        if pair["champion"] != pair["model"]
    ]
    lines += [
        f"  {one['event_id']} in {one['channel_id']}: champion {one['champion']} {one['champion_score']:.2f}, "
        f"it {one['model']} {one['model_score']:.2f}{_quoted(one.get('text'))}"
        for one in seen["samples"]
    ]
    if "texts_unknown" in seen:
        lines.append(f"  their texts are unknown: {seen['texts_unknown']}")
    return lines


def _quoted(text: str | None) -> str:
    return "" if text is None else f": {' '.join(text.split())[:_MOST_SHOWN_OF_A_TEXT]}"
