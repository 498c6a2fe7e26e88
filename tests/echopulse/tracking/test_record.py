"""Runs as they are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.tracking.record import DataInput, RunRecord, read_record, write_record
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Parameters, curves, data and the files, folders of them included, come back as they were."""
    model = tmp_path / "model"
    (model / "deep").mkdir(parents=True)
    (model / "table.npy").write_bytes(b"weights")
    (model / "deep" / "card.md").write_text("a card", encoding="utf-8")
    record = RunRecord("train", "train m", parent="p", files={"model": model, "curves/a.png": b"picture"})
    record.parameters(seed=3, epochs=None, kind="bag")
    record.measure({"sentiment.macro_recall": 61.5, "odd": float("nan")}, step=2)
    record.inputs.append(DataInput("a.parquet", "0" * 64, "/data/a.parquet", "training", 7))
    record.end("FAILED")
    write_record(record, tmp_path / "kept")
    found = read_record(tmp_path / "kept")
    assert found.params == {"seed": "3", "kind": "bag"}
    assert (found.id, found.parent, found.status, found.ended_ms) == (record.id, "p", "FAILED", record.ended_ms)
    assert found.metrics[0] == record.metrics[0]
    assert found.metrics[1].value != found.metrics[1].value
    assert found.inputs == record.inputs
    contents = {
        name: path.read_bytes() if not isinstance(path, bytes) else path
        for name, path in found.artifact_files().items()
    }
    assert contents == {
        "model/table.npy": b"weights",
        "model/deep/card.md": b"a card",
        "curves/a.png": b"picture",
    }


def test_half_a_run_is_told(tmp_path: Path) -> None:
    """A folder without its document is no run."""
    with pytest.raises(EchoPulseError, match="holds no whole run"):
        read_record(tmp_path)
