"""Texts scored without an event: as the job scores messages, and by one model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from echopulse.job.text_scores import by_model, by_strategies
from echopulse.settings import Settings
from schemas.errors import EchoPulseError
from schemas.social_event_pb2 import SocialEvent
from transforms.analysis import Analyser
from transforms.artifact import SHIPPED, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

GERMAN = "Das ist ein sehr schöner Tag, und ich freue mich"
TEXTS = ["what a great stream in London", "I hate you idiot", GERMAN, ""]


def test_as_the_job_would() -> None:
    """The labels are those of an analysed message, the probability is that of the label."""
    analyser = Analyser({})
    analyser.open()
    now_ms = time.time_ns() // 1_000_000
    events = [SocialEvent(id="1", source="twitch", channel_id="c", metadata={"text": text}) for text in TEXTS]
    for event in events:
        event.ts.FromMilliseconds(now_ms)
    values = pa.array([event.SerializeToString() for event in events], pa.binary())
    rows = analyser.analyse(values, pa.array([now_ms] * len(events), pa.int64())).to_pylist()
    found = by_strategies(Settings(), TEXTS)
    assert [one["text"] for one in found] == TEXTS
    for one, row in zip(found, rows, strict=True):
        tasks = one["tasks"]
        assert (one["language"], one["failed"]) == (row["language"], "")
        assert (tasks["sentiment"]["label"], tasks["sentiment"]["model"]) == (row["sentiment"], row["model_sentiment"])
        assert tasks["toxicity"]["model"] == row["model_toxicity"]
        assert [name for name in tasks if name.startswith("stance.")] == [f"stance.{t}" for t in row["stance_targets"]]
    good, bad, german, nothing = found
    assert good["tasks"]["sentiment"]["probability"] == round(rows[0]["score_positive"], 6)
    assert good["tasks"]["toxicity"] == {
        "label": "not_toxic",
        "probability": round(1 - rows[0]["toxicity"], 6),
        "model": rows[0]["model_toxicity"],
    }
    assert good["entities"] == [{"name": "London", "link": "place:london", "score": rows[0]["entity_scores"][0]}]
    assert (bad["tasks"]["toxicity"]["label"], set(bad["scores"])) == (
        "toxic",
        {"negative", "neutral", "positive", "offensive", "hate"},
    )
    for unscored, model in ((german, "abstained:de"), (nothing, "")):
        answer = {"label": "unknown", "probability": None, "model": model}
        assert unscored["tasks"] == {"sentiment": answer, "toxicity": answer}
        assert (unscored["scores"], unscored["entities"]) == ({}, [])


def test_by_one_model() -> None:
    """Each of its tasks, or one; whatever the language."""
    manifest, digest = read_manifest(SHIPPED / "default")
    found = by_model(SHIPPED / "default", [GERMAN])
    assert found[0]["tasks"].keys() == manifest.tasks.keys()
    for task, said in found[0]["tasks"].items():
        assert said["label"] in manifest.task(task).labels
        assert (said["model"], 0 < said["probability"] <= 1) == (digest, True)
    assert [*by_model(SHIPPED / "default", [GERMAN], "hate")[0]["tasks"]] == ["hate"]
    stance = by_model(SHIPPED / "default", [GERMAN], "stance")[0]["tasks"]
    assert {name.partition(".")[0] for name in stance} == {"stance"}
    assert len(stance) == len(manifest.stance_targets())
    assert by_model(SHIPPED / "default", []) == []


BREAKS = """
import pyarrow as pa
from transforms.kinds import TOXICITY
from transforms.strategy import Strategy


class Breaks(Strategy):
    kind, name, type = "toxicity", "breaks", TOXICITY

    def analyze(self, batch):
        if "boom" in batch["text"].to_pylist():
            raise ValueError("no boom")
        return pa.array([{"probability": 0.25, "toxic": 0, "hate": float("nan"), "offensive": 0.5, "model": ""}]
                        * batch.num_rows, TOXICITY)
"""


def test_a_strategy_of_the_users_own(tmp_path: Path) -> None:
    """One that fails on a text says why; scores that are not known are left out."""
    (tmp_path / "breaks.py").write_text(BREAKS)
    settings = Settings(strategies={"toxicity": "breaks"}, strategy_paths=[tmp_path])
    fine, boom = by_strategies(settings, ["fine", "boom"])
    assert fine["tasks"]["toxicity"] == {"label": "not_toxic", "probability": 0.75, "model": "strategy:breaks"}
    assert ("hate" in fine["scores"], fine["scores"]["offensive"]) == (False, 0.5)
    assert boom["failed"] == "toxicity by 'breaks': ValueError: no boom"
    with pytest.raises(EchoPulseError, match="did you mean 'breaks'"):
        by_strategies(Settings(strategies={"toxicity": "break"}, strategy_paths=[tmp_path]), ["fine"])
