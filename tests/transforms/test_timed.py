"""Models by event time."""

from __future__ import annotations

import json
import shutil
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import EchoPulseError
from transforms.analysis import Analyser
from transforms.artifact import MANIFEST, SHIPPED, file_digest
from transforms.loading import load_model
from transforms.model import question
from transforms.strategies.model_sentiment import BagSentiment
from transforms.strategies.model_toxicity import BagToxicity
from transforms.strategy import Context
from transforms.timed import TimedModel
from transforms.timeline_file import TimelineFile, artifact_folder, read_timeline, write_timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FAR_MS = 10**15
TEXTS = ("what a lovely day", "this is awful", "a table", "you are an idiot")


def batch(times: Sequence[int]) -> pa.RecordBatch:
    """Texts at instants, as a strategy is given them."""
    texts = question(pa.array([TEXTS[place % len(TEXTS)] for place in range(len(times))], pa.string()))
    ts = pa.array(list(times), pa.timestamp("ms", "UTC"))
    return pa.RecordBatch.from_arrays([*texts.columns, ts], names=[*texts.schema.names, "ts"])


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    """Two artifacts in the folder, by digest: the default, and one that knows sentiment alone and says the opposite."""
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        shutil.copytree(SHIPPED / "default", folder)
        document = json.loads((folder / MANIFEST).read_bytes())
        document["name"] = name
        if name == "two":
            task = document["tasks"]["sentiment"]
            task["slope"] = -task["slope"]
            document["tasks"] = {"sentiment": task, "toxicity": document["tasks"]["toxicity"]}
        (folder / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
        digests.append(file_digest(folder / MANIFEST))
        folder.rename(artifact_folder(tmp_path, digests[-1]))
    return digests


def test_each_row_by_the_model_of_its_time(tmp_path: Path, models: list[str]) -> None:
    """Shuffled instants on both sides of a change, the ms of the change among them; each names who scored it."""
    one, two = models
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, one), (1_000, two), (2_000, one)), FAR_MS, 5_000))
    timed = TimedModel(tmp_path, "sentiment")
    times = [999, 1_000, 1_999, 2_000, -5, 1_500, 3_000, 0]
    asked = batch(times)
    found = timed.answer("sentiment", asked)
    expected = [two if 1_000 <= at < 2_000 else one for at in times]
    assert found.models.to_pylist() == expected
    whole = {digest: load_model(artifact_folder(tmp_path, digest)).answer("sentiment", asked) for digest in models}
    for place, digest in enumerate(expected):
        assert found.probabilities[place] == pytest.approx(whole[digest].probabilities[place])
        assert found.chosen[place] == whole[digest].chosen[place]
    assert timed.answer("sentiment", batch([])).chosen.shape == (0,)


def test_what_a_model_lacks_is_not_a_number(tmp_path: Path, models: list[str]) -> None:
    """Hate is known to one of the two: the strategy leaves its chances out where the other scored."""
    one, two = models
    write_timeline(tmp_path, "toxicity", TimelineFile(((0, one), (1_000, two)), FAR_MS, 5_000))
    strategy = BagToxicity()
    strategy.open(Context(SHIPPED / "default", {"timeline": str(tmp_path)}))
    values = strategy.analyze(batch([1, 1_001]))
    hate = values.field("hate").to_numpy()
    assert list(np.isnan(hate)) == [False, True]
    assert values.field("model").to_pylist() == [one, two]


def test_events_name_the_model_of_their_time(
    tmp_path: Path, models: list[str], encode: Callable[..., tuple[pa.BinaryArray, pa.Int64Array]]
) -> None:
    """Through the whole analysis: each kind by its own timeline, all events scored."""
    one, two = models
    cut_ms = 1_780_000_000_500
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, one), (cut_ms, two)), FAR_MS, 5_000))
    write_timeline(tmp_path, "toxicity", TimelineFile(((0, one),), FAR_MS, 5_000))
    options = {kind: {"timeline": str(tmp_path)} for kind in ("sentiment", "toxicity")}
    analyser = Analyser({}, options=options)
    analyser.open()
    instants = [cut_ms - 1, cut_ms, cut_ms + 1, cut_ms - 500]
    stamps = [datetime.fromtimestamp(at / 1_000, UTC) for at in instants]
    rows = analyser.analyse(*encode(*({"ts": stamp} for stamp in stamps))).to_pylist()
    assert [row["reason"] for row in rows] == [""] * 4
    assert [row["model_sentiment"] for row in rows] == [one, two, two, one]
    assert {row["model_toxicity"] for row in rows} == {one}


def test_a_change_is_seen_before_its_time(tmp_path: Path, models: list[str]) -> None:
    """The file is read again within the lead, and the rows of then are those of the new model; a replay agrees."""
    one, two = models
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, one),), FAR_MS, 3))
    timed = TimedModel(tmp_path, "sentiment")
    assert timed.answer("sentiment", batch([5_000])).models.to_pylist() == [one]
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, one), (5_000, two)), FAR_MS, 3))
    deadline = time.monotonic() + 30
    while timed.answer("sentiment", batch([5_000])).models.to_pylist() != [two]:
        assert time.monotonic() < deadline
    replayed = TimedModel(tmp_path, "sentiment").answer("sentiment", batch([4_999, 5_000]))
    assert replayed.models.to_pylist() == [one, two]


def test_a_lapsed_timeline_holds_the_rows_back(tmp_path: Path, models: list[str]) -> None:
    """Nothing is scored by what may be out of date; once it is renewed, scoring goes on; in vain it is told."""
    one, two = models
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, one),), 1, 5_000))
    with pytest.raises(EchoPulseError, match=r"the timeline of sentiment in .* has not been renewed for 0.2 s"):
        TimedModel(tmp_path, "sentiment", patience_s=0.2).answer("sentiment", batch([7]))
    timed, said = TimedModel(tmp_path, "sentiment", patience_s=60), []

    def score() -> None:
        said.extend(timed.answer("sentiment", batch([7])).models.to_pylist())

    worker = threading.Thread(target=score)
    worker.start()
    assert said == []
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, two),), FAR_MS, 5_000))
    worker.join(60)
    assert said == [two]


def test_a_wrong_artifact_and_no_timeline(tmp_path: Path, models: list[str]) -> None:
    """An artifact under another's digest, no file, half a file, entries out of order, options beside it."""
    one, two = models
    with pytest.raises(EchoPulseError, match=r"no timeline of sentiment \(echopulse registry follow writes it\)"):
        read_timeline(tmp_path, "sentiment")
    write_timeline(tmp_path, "sentiment", TimelineFile(((5, one), (1, two)), FAR_MS, 5))
    with pytest.raises(EchoPulseError, match="its entries do not rise"):
        read_timeline(tmp_path, "sentiment")
    (tmp_path / "timeline" / "sentiment.json").write_text("{", encoding="utf-8")
    with pytest.raises(EchoPulseError, match="is no timeline"):
        read_timeline(tmp_path, "sentiment")
    shutil.rmtree(artifact_folder(tmp_path, two))
    shutil.copytree(artifact_folder(tmp_path, one), artifact_folder(tmp_path, two))
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, two),), FAR_MS, 5))
    with pytest.raises(EchoPulseError, match=f"is {one}, not {two}"):
        TimedModel(tmp_path, "sentiment")
    with pytest.raises(EchoPulseError, match="leave out the options model and shed"):
        BagSentiment().open(Context(SHIPPED / "default", {"timeline": str(tmp_path), "model": "default"}))
