"""Drift watched: false alarms while nothing changes, and how soon five planted drifts are told."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

from bench.embedded import step
from bench.measure import Figure, Section
from echopulse.drift.watcher import Watcher, rules
from echopulse.gateway.scenario import Scenario, load_scenario
from echopulse.gateway.simulator import simulate
from echopulse.settings_sections import Drift as DriftSettings
from transforms.analysis import Analyser
from transforms.drift_monitor import Monitor
from transforms.drift_words import KnownWords

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from transforms.drift_monitor import Drift

NAME = "drift"
_START_MS = 1_700_000_000_000
_RATE = 2_000
#: What a baseline is learnt from before a drift is planted, and what follows it at most, as a share of the events.
_LEARNT, _PLANTED = 300_000, 0.2
#: Groups, and the drift that is planted in each: what changes of the scenario, by channel.
PLANTED: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "vocabulary shift: other games and tags": (
        "twitch",
        {
            "twitch-speedruns": {
                "entities": ["Zorbalquest", "Mirrowfen", "the glimmerskip", "Vextrahold"],
                "hashtags": ["#zorbalrun", "#mirrowfen"],
            },
            "twitch-arena": {
                "entities": ["Quornblades", "Team Oxivar", "Plethyx", "Drumlock"],
                "hashtags": ["#quornblades", "#oxivarwin"],
            },
        },
    ),
    "toxicity up: 15 and 35 % of calm talk become 45 and 65": (
        "twitch",
        {
            "twitch-speedruns": {"mood": {"friendly": 0.2, "neutral": 0.35, "toxic": 0.45}},
            "twitch-arena": {"mood": {"friendly": 0.1, "neutral": 0.25, "toxic": 0.65}},
        },
    ),
    "sentiment flip: friendly and toxic change places": (
        "x",
        {
            "x-politics": {"mood": {"friendly": 0.5, "neutral": 0.35, "toxic": 0.15}},
            "x-futbol": {"mood": {"friendly": 0.25, "neutral": 0.35, "toxic": 0.4}},
        },
    ),
    "emote flood by thousands: as many again": ("twitch", {}),
    "language mix: a third of the group turns Spanish": ("twitch", {"twitch-speedruns": {"language": "es"}}),
}
_FLOOD = {
    "kind": "hype",
    "channels": ["twitch-speedruns", "twitch-arena"],
    "from": 0,
    "factor": 1.0,
    "messages": ["{emote_good} {emote_good} {emote_good}", "{emote_good} {emote_good}"],
}


def measure(count: int, folder: Path) -> Section:
    """Watch twice `count` undrifted events, and a fifth of it after each planted drift; `folder` is not used."""
    del folder
    step("undrifted events")
    analyser = Analyser({})
    analyser.open()
    settings = DriftSettings()
    calm, lively = load_scenario().model_copy(update={"phases": []}), load_scenario()
    figures, notes = [], []
    for what, scenario in (("calm talk", calm), ("with hype, raids, brigades and spam", lively)):
        watcher = _watcher(settings)
        alarms = _watch(watcher, analyser, _events(scenario, 2 * count, seed=1))
        panes = sum(_panes(watcher).values())
        figures.append(Figure(f"alarms, {what}", (len(alarms),), f"in {2 * count:,} events"))
        notes.append(f"{what}: {panes:,} panes of groups were held against a baseline; {_alarms_told(alarms)}")
    step("planted drifts")
    watcher = _watcher(settings)
    before = _watch(watcher, analyser, _events(calm, _LEARNT, seed=2))
    notes.append(f"before the planted drifts, {_LEARNT:,} events: {_alarms_told(before)}")
    for name, (group, changed) in PLANTED.items():
        step(name)
        figures.append(_delay(name, group, watcher, analyser, _drifted(calm, changed), round(_PLANTED * count)))
    return Section(
        NAME,
        "Drift (`drift`)",
        f"Simulated events through the analysis and the watcher, {_RATE:,} a second of event time, groups by source, "
        f"settings as they ship: panes of {settings.pane_events:,}, baselines of {settings.baseline_panes} panes, "
        f"false-alarm rate {settings.false_alarm_rate:g} a pane of a group. The delay counts the group's events from "
        "the drift until the first alarm of the group.",
        tuple(figures),
        tuple(notes),
    )


def _watcher(settings: DriftSettings) -> Watcher:
    return Watcher(Monitor(rules(settings)), KnownWords(settings.vocabulary_texts))


def _events(scenario: Scenario, count: int, seed: int) -> Iterator[pa.RecordBatch]:
    return simulate(scenario, start_ms=_START_MS, seed=seed, rate=_RATE, events=count)


def _watch(watcher: Watcher, analyser: Analyser, batches: Iterator[pa.RecordBatch]) -> list[Drift]:
    found: list[Drift] = []
    for batch in batches:
        found += _one(watcher, analyser, batch)
    return found


def _one(watcher: Watcher, analyser: Analyser, batch: pa.RecordBatch) -> list[Drift]:
    rows = analyser.analyse_events(batch).append_column("ts", batch.column("ts"))
    return [*watcher.events(batch), *watcher.results(rows)]


def _delay(name: str, group: str, watcher: Watcher, analyser: Analyser, scenario: Scenario, count: int) -> Figure:
    """Plant a drift behind what the watcher has seen, and count the group's events until it is told."""
    watcher = copy.deepcopy(watcher)
    seen = 0
    for batch in _events(scenario, count, seed=3):
        found = [each for each in _one(watcher, analyser, batch) if each.key.group == group]
        seen += int((batch.column("source").to_numpy(zero_copy_only=False) == group).sum())
        if found:
            told = ", ".join(sorted({f"{each.key.measure} ({each.shift.method})" for each in found}))
            return Figure(name, (seen,), "events", told)
    return Figure(name, (float("inf"),), "events", "not told")


def _drifted(scenario: Scenario, changed: dict[str, dict[str, Any]]) -> Scenario:
    document = scenario.model_dump(by_alias=True)
    document["channels"] = [each | changed.get(each["id"], {}) for each in document["channels"]]
    if not changed:
        document["phases"] = [_FLOOD | {"until": document["duration"]}]
    return Scenario.model_validate(document)


def _panes(watcher: Watcher) -> dict[str, int]:
    """Return how many panes of each group were held against a baseline, by its busiest measure."""
    panes: dict[str, int] = {}
    for key, series in watcher.monitor.series.items():
        panes[key.group] = max(panes.get(key.group, 0), series.tested)
    return panes


def _alarms_told(alarms: list[Drift]) -> str:
    counts = Counter(f"{each.key.group}/{each.key.measure} ({each.shift.method})" for each in alarms)
    return "alarms: " + (", ".join(f"{name} {times}" for name, times in counts.most_common()) or "none")
