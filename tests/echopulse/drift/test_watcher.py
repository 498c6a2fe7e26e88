"""Texts and results measured: what has no text has no measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from echopulse.drift.watcher import Watcher, opened, rules
from echopulse.settings_sections import Drift
from schemas.errors import EchoPulseError
from transforms.artifact import Manifest, file_digest, write_manifest
from transforms.drift_monitor import Monitor
from transforms.drift_words import KnownWords, write_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa


def test_words_of_the_first_texts_are_known(texts: Callable[..., pa.RecordBatch]) -> None:
    """Later ones are held against them."""
    watcher = Watcher(Monitor(rules(Drift())), KnownWords(2))
    watcher.events(texts("good game", "good run", ""))
    assert watcher.words.texts == 2
    watcher.events(texts("good zorbal"))
    found = [s for key, s in watcher.monitor.series.items() if key.measure == "unknown_words"]
    assert [series.pane.total for series in found if series.pane] == [0.5]


def test_a_reference_knows_words_from_the_start(tmp_path: Path, texts: Callable[..., pa.RecordBatch]) -> None:
    """Those of a model's training, if they were kept."""
    manifest = Manifest(kind="bag", name="m", tasks={}, files={})
    write_manifest(tmp_path, manifest)
    with pytest.raises(EchoPulseError) as caught:
        opened(Drift(reference=str(tmp_path)))
    assert str(caught.value) == (
        f"{tmp_path} has no words.npy: it was trained before words were kept (leave drift.reference empty)"
    )
    name = write_words(tmp_path, np.array([7, 3, 7], np.uint64))
    write_manifest(tmp_path, manifest.model_copy(update={"files": {name: file_digest(tmp_path / name)}}))
    watcher = opened(Drift(reference=str(tmp_path)))
    watcher.events(texts("good game"))
    assert watcher.words.hashes.tolist() == [3, 7]
    found = [s for key, s in watcher.monitor.series.items() if key.measure == "unknown_words"]
    assert [series.pane.total for series in found if series.pane] == [1.0]
