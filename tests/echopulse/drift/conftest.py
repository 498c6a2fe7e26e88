"""Results and texts of a stream whose toxicity rises, and a watcher with small panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from echopulse.drift.watcher import Watcher
from schemas.arrow import ANALYSED
from transforms.drift_monitor import Monitor
from transforms.drift_series import Rules
from transforms.drift_words import KnownWords

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = "sha256:" + "ab" * 32
RULES = Rules(pane_events=100, baseline_panes=10, false_alarms=1e-3)


@pytest.fixture
def make_watcher() -> Callable[[], Watcher]:
    """Return a maker of watchers that have seen nothing."""
    return lambda: Watcher(Monitor(RULES), KnownWords(200))


@pytest.fixture
def results() -> Callable[..., pa.RecordBatch]:
    """Return a maker of results: ANALYSED rows whose toxicity lies around a level."""

    def make(rows: int, level: float, seed: int = 1) -> pa.RecordBatch:
        random = np.random.default_rng(seed)
        filled: dict[str, object] = {
            "channel_id": "twitch-1",
            "source": "twitch",
            "kind": "message",
            "language": "en",
            "sentiment": "neutral",
            "model_sentiment": DIGEST,
            "model_toxicity": DIGEST,
        }
        arrays = []
        for field in ANALYSED:
            if field.name == "event_id":
                arrays.append(pa.array([f"e{seed}-{row}" for row in range(rows)]))
            elif field.name == "toxicity" or field.name.startswith("score_"):
                values = random.beta(20 * level, 20 * (1 - level), rows)
                arrays.append(pa.array(values if field.name == "toxicity" else np.full(rows, 0.25)))
            elif pa.types.is_integer(field.type):
                arrays.append(pa.array(np.zeros(rows), field.type))
            elif pa.types.is_string(field.type):
                arrays.append(pa.array([filled.get(field.name, "")] * rows, field.type))
            else:
                arrays.append(pa.array([[]] * rows, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=ANALYSED)

    return make


@pytest.fixture
def texts() -> Callable[..., pa.RecordBatch]:
    """Return a maker of events that say the words given."""

    def make(*said: str) -> pa.RecordBatch:
        from echopulse.gateway.scenario import load_scenario  # noqa: PLC0415 - the simulator is not always wanted
        from echopulse.gateway.simulator import simulate  # noqa: PLC0415 - the same

        batch = next(simulate(load_scenario(), start_ms=1_700_000_000_000, events=len(said)))
        place = batch.schema.get_field_index("metadata")
        metadata = pa.array([[("kind", "message"), ("text", text)] for text in said], batch.schema.field(place).type)
        return batch.slice(0, len(said)).set_column(place, batch.schema.field(place), metadata)

    return make
