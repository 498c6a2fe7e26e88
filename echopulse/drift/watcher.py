"""Texts and results measured and held against their baselines, wherever they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from transforms.artifact import find_artifact
from transforms.drift_measures import Observed, observed_results
from transforms.drift_monitor import Monitor
from transforms.drift_series import Rules
from transforms.drift_texts import text_measures
from transforms.drift_words import KnownWords, read_words
from transforms.extraction import TEXT_KINDS, extract, lookup
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from echopulse import settings_sections
    from transforms.drift_monitor import Drift


def rules(settings: settings_sections.Drift) -> Rules:
    """Return the settings' rules."""
    return Rules(
        pane_events=settings.pane_events,
        baseline_panes=settings.baseline_panes,
        false_alarms=settings.false_alarm_rate,
        least_psi=settings.least_psi,
        least_shift=settings.least_shift,
        persist=settings.persist,
    )


def opened(settings: settings_sections.Drift) -> Watcher:
    """Return a watcher that has seen nothing; raises EchoPulseError where the reference has no words."""
    words = KnownWords(settings.vocabulary_texts)
    if settings.reference:
        words = KnownWords(0, read_words(find_artifact(settings.reference)))
    return Watcher(Monitor(rules(settings), settings.groups), words)


@dataclass
class Watcher:
    """Feeds a monitor; without words of a training, those of the first texts become the known ones."""

    monitor: Monitor
    words: KnownWords

    def events(self, events: pa.RecordBatch) -> list[Drift]:
        """Take events (schema EVENT); those without a text, or whose text cannot be read, are none of drift's."""
        extracted = extract(events, lookup(events.column("metadata"), "kind"))
        spoken = pc.and_(pc.is_in(extracted.kinds, pa.array(TEXT_KINDS)), pc.not_equal(extracted.texts, ""))
        events, texts = events.filter(spoken), extracted.texts.filter(spoken)
        channels, sources = events.column("channel_id"), events.column("source")
        normalised = normalise(texts, platforms=sources, channels=channels)
        measures, hashes = text_measures(normalised, self.words.known)
        self.words.add(hashes, len(texts))
        ts_ms = pc.fill_null(events.column("ts").cast(pa.int64()), 0).to_numpy()
        return self.monitor.observe(Observed(channels, sources, ts_ms, measures, {}))

    def results(self, rows: pa.RecordBatch) -> list[Drift]:
        """Take results: columns of schemas.arrow.ANALYSED, and `ts`."""
        return self.monitor.observe(observed_results(rows))
