"""A model becomes the champion: it is judged by the gates, and a step is written onto the task's timeline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.registry.gates.declaration import SHIPPED, read_gates
from echopulse.registry.gates.gate import Case, Finding
from echopulse.registry.opening import find
from echopulse.registry.probe import probe
from echopulse.registry.store import CHALLENGER, CHAMPION
from echopulse.registry.timeline import BEGINNING, Step, is_void
from echopulse.registry.verdict import GateResult, Verdict, signed, signing_key
from echopulse.tracking.traces import trace_step
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.registry.gates.declaration import Declared
    from echopulse.registry.gates.gate import Gate
    from echopulse.registry.opening import Reference
    from echopulse.registry.store import ModelStore
    from echopulse.registry.timeline import Timeline
    from echopulse.registry.versions import Entry
    from echopulse.settings import Settings

_VERDICT = "verdict"


@dataclass(frozen=True)
class Promotion:
    """What is asked for: which model, from which event time on (None: as soon as may be), who approves it."""

    reference: Reference
    at_ms: int | None = None
    approver: str = ""
    data: Path | None = None


class RefusedPromotionError(EchoPulseError):
    """The gates refused a model; `verdict` says what each of them found."""

    def __init__(self, verdict: Verdict) -> None:
        """Name the gates."""
        self.verdict = verdict
        reasons = "; ".join(f"{result.gate}: {result.told}" for result in verdict.failed)
        super().__init__(f"{verdict.task}@{verdict.digest[:19]} is refused by {reasons}", "the champion goes on")


def promote(
    store: ModelStore, settings: Settings, asked: Promotion, say: Callable[[str], None]
) -> tuple[Step, Verdict]:
    """Judge a model and make it the champion from an instant on; return the step written and the verdict.

    Raises RefusedPromotionError where a gate does not pass it, EchoPulseError where it is the champion already, the
    instant has passed, nobody of the role approves, the artifact is not what it should be, or another change was
    written meanwhile. Whatever is raised, nothing was changed.
    """
    task = asked.reference.task
    declared = read_gates(Path(settings.registry.gates or SHIPPED), task)
    _check_approver(task, declared, asked.approver, settings)
    timeline = store.timeline(task)
    _check_instant(asked.at_ms, timeline, settings)
    entry = find(store, asked.reference)
    verdict = _judged(store, settings, asked, entry, _champion_before(timeline, entry), declared, say)
    text = signed(verdict, signing_key(settings))
    store.tag(entry, _VERDICT, text)
    if not verdict.passed:
        raise RefusedPromotionError(verdict)
    # The gates took their time, so the instant is looked at once more.
    valid_from_ms = _check_instant(asked.at_ms, timeline, settings)
    step = Step(0, timeline.position, entry.digest, valid_from_ms, "promotion", asked.approver, verdict=text)
    return _written(store, entry, step, verdict.champion), verdict


def judge(
    store: ModelStore, settings: Settings, reference: Reference, data: Path | None, say: Callable[[str], None]
) -> Verdict:
    """Ask the gates about a model and sign what they say, without promoting it; no approval is asked for.

    Raises RefusedPromotionError where a gate does not pass it, EchoPulseError where it is the champion already.
    """
    entry = find(store, reference)
    declared = read_gates(Path(settings.registry.gates or SHIPPED), reference.task)
    before = _champion_before(store.timeline(reference.task), entry)
    verdict = _judged(store, settings, Promotion(reference, data=data), entry, before, declared, say)
    store.tag(entry, _VERDICT, signed(verdict, signing_key(settings)))
    if not verdict.passed:
        raise RefusedPromotionError(verdict)
    return verdict


def rollback(store: ModelStore, settings: Settings, task: str, by: str = "") -> Step:
    """Let the champion before the last change score again, as soon as may be; no gate is asked: it has passed them.

    Raises EchoPulseError where there was none before, its artifact is damaged, or another change was written meanwhile.
    """
    timeline = store.timeline(task)
    if timeline.last is None or timeline.previous is None:
        raise EchoPulseError(
            f"{task} has had no other champion to go back to",
            "see `registry timeline`; one that was rolled back is promoted by its digest",
        )
    entry = store.entry(task, timeline.previous.digest)
    probe(store.fetch(entry), entry.digest)
    valid_from_ms = _check_instant(None, timeline, settings)
    step = Step(0, timeline.position, entry.digest, valid_from_ms, "rollback", by)
    return _written(store, entry, step, timeline.last.digest)


def _written(store: ModelStore, entry: Entry, step: Step, before: str) -> Step:
    number, timeline = store.append(entry, step)
    if is_void(number, timeline):
        won = timeline.steps[-1]
        raise EchoPulseError(
            f"another change of {entry.task} came first: {won.kind} of {won.digest[:19]}", "look at it, then ask again"
        )
    store.point(entry, CHAMPION)
    if (challenger := store.pointed(entry.task, CHALLENGER)) is not None and challenger.digest == entry.digest:
        store.unpoint(entry.task, CHALLENGER)
    written = next(one for one in timeline.steps if one.number == number)
    trace_step(entry.task, written, before)
    return written


def _champion_before(timeline: Timeline, entry: Entry) -> str:
    """Return the champion that a model would follow, '' for none; raises EchoPulseError where it is that itself."""
    if timeline.last is None:
        return ""
    if timeline.last.digest == entry.digest:
        raise EchoPulseError(f"{entry.task}@{entry.digest[:19]} is the champion already")
    return timeline.last.digest


def _judged(
    store: ModelStore,
    settings: Settings,
    asked: Promotion,
    entry: Entry,
    champion: str,
    declared: Declared,
    say: Callable[[str], None],
) -> Verdict:
    folder = store.fetch(entry)
    model = probe(folder, entry.digest)
    current = probe(store.fetch(store.entry(entry.task, champion)), champion) if champion else None
    case = Case(entry.task, model, folder, current, asked.data or settings.training_data, settings)
    results = []
    for gate in declared.gates:
        found = _asked(gate, case)
        say(f"{'passed' if found.passed else 'FAILED'}  {gate.name}: {found.told}")
        results.append(GateResult(gate.name, found.passed, found.told, dict(found.numbers)))
    now_ms = time.time_ns() // 1_000_000
    return Verdict(entry.task, entry.digest, champion, declared.digest, tuple(results), asked.approver, now_ms)


def _asked(gate: Gate, case: Case) -> Finding:
    """Ask a gate; one that cannot run has not passed the model."""
    try:
        return gate.check(case)
    except Exception as error:  # noqa: BLE001 - whatever keeps a gate from running, the model is not promoted for it
        told = str(error) if isinstance(error, EchoPulseError) else f"{type(error).__name__}: {error}"
        return Finding(passed=False, told=f"could not run: {' '.join(told.split())}")


def _check_approver(task: str, declared: Declared, approver: str, settings: Settings) -> None:
    if not declared.role:
        return
    members = settings.registry.roles.get(declared.role, [])
    if not approver:
        told = ", ".join(members) or "nobody yet: registry.roles names them"
        raise EchoPulseError(f"{task} asks for an approval by the role '{declared.role}'", f"--approver: {told}")
    if approver not in members:
        told = ", ".join(members) or "nobody"
        raise EchoPulseError(f"'{approver}' has not the role '{declared.role}' that {task} asks for", f"it has: {told}")


def _check_instant(at_ms: int | None, timeline: Timeline, settings: Settings) -> int:
    """Return from when on a change holds. The first of a task holds from the beginning of time."""
    if not timeline.entries:
        if at_ms is not None:
            raise EchoPulseError("the first champion of a task scores from the beginning of time", "leave out --at")
        return BEGINNING
    earliest = time.time_ns() // 1_000_000 + settings.registry.lead_ms
    if at_ms is None:
        return earliest
    if at_ms < earliest:
        raise EchoPulseError(
            f"--at {at_ms} is in the past or too near: workers hear of a change registry.lead_ms ahead",
            f"{earliest} is the earliest now",
        )
    return at_ms
