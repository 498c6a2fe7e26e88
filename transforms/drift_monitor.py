"""Drift of many series side by side: each measure of each group of channels, and of each model that scored it."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.drift_measures import MEASURES
from transforms.drift_series import Rules, Series, Shift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transforms.drift_measures import Observed

#: Series that are kept at most; groups and models beyond are watched together.
MOST_SERIES = 5_000
OTHERS = "others"


class SeriesKey(NamedTuple):
    """Which values a series is of; `model` is '' for a measure of texts."""

    measure: str
    group: str
    model: str


@dataclass(frozen=True)
class Drift:
    """A drift and the series it was found in."""

    key: SeriesKey
    task: str
    shift: Shift


@dataclass
class Monitor:
    """Watches what it is given. `groups` are names with patterns of channel ids; a channel in none is its source's.

    `rules.false_alarms` is of one pane of a group; its measures share it (Bonferroni).
    """

    rules: Rules
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    series: dict[SeriesKey, Series] = field(default_factory=dict)

    @property
    def series_rules(self) -> Rules:
        """The rules of one series: a group's measures share the rate of false alarms."""
        return replace(self.rules, false_alarms=self.rules.false_alarms / len(MEASURES))

    def observe(self, seen: Observed) -> list[Drift]:
        """Take events; return the drifts that they made plain, in the order of measures."""
        groups = self._groups_of(seen)
        found = []
        for name, values in seen.values.items():
            models = seen.models.get(MEASURES[name].task)
            keyed = groups if models is None else pc.binary_join_element_wise(groups, models, "\n")
            held = ~np.isnan(values)
            encoded = keyed.filter(pa.array(held)).dictionary_encode()
            codes, kept, ts_ms = encoded.indices.to_numpy(), values[held], seen.ts_ms[held]
            for code, text in enumerate(encoded.dictionary.to_pylist()):
                group, _, model = text.partition("\n")
                own = codes == code
                key, series = self._series(SeriesKey(name, group, model))
                found += [Drift(key, series.measure.task, shift) for shift in series.add(kept[own], ts_ms[own])]
        return found

    def _series(self, key: SeriesKey) -> tuple[SeriesKey, Series]:
        if key not in self.series and len(self.series) >= MOST_SERIES:
            key = SeriesKey(key.measure, OTHERS, "")
        if key not in self.series:
            self.series[key] = Series(MEASURES[key.measure], self.series_rules)
        return key, self.series[key]

    def _groups_of(self, seen: Observed) -> pa.StringArray:
        if not self.groups:
            return seen.sources
        encoded = seen.channels.dictionary_encode()
        names = [self._name(channel) for channel in encoded.dictionary.to_pylist()]
        named = pa.array(names, pa.string()).take(encoded.indices)
        return pc.coalesce(named, seen.sources)

    def _name(self, channel: str) -> str | None:
        patterns = self.groups.items()
        return next((n for n, own in patterns if any(fnmatch.fnmatchcase(channel, p) for p in own)), None)
