"""Strategies by an artifact."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact, read_manifest, write_manifest
from transforms.conformance import batch_of, faults
from transforms.loading import load_model
from transforms.strategies.model_sentiment import BagSentiment
from transforms.strategies.model_stance import BagStance, CascadeStance
from transforms.strategies.model_toxicity import BagToxicity
from transforms.strategy import Context

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = Context(find_artifact("default"))


def test_sentiment() -> None:
    """Labels, their numbers and probabilities go together, and the model is named."""
    strategy = BagSentiment()
    strategy.open(CONTEXT)
    good, bad = strategy.analyze(batch_of(["i love this lovely day", "this is awful, i hate it"])).to_pylist()
    assert (good["label"], good["score"], bad["label"], bad["score"]) == ("positive", 1, "negative", -1)
    assert good["negative"] + good["neutral"] + good["positive"] == pytest.approx(1)
    assert good["model"].startswith("sha256:")
    assert strategy.languages == ("en",)


def test_toxicity() -> None:
    """Hate and offence stand beside the probability."""
    strategy = BagToxicity()
    strategy.open(CONTEXT)
    rude, kind = strategy.analyze(batch_of(["you stupid fucking idiot", "have a nice day"])).to_pylist()
    assert (rude["toxic"], kind["toxic"]) == (1, 0)
    assert all(rude[name] > kind[name] for name in ("probability", "hate", "offensive"))


def test_toxicity_alone(tmp_path: Path) -> None:
    """A model that knows no hate and no offence says neither: NaN, which the results leave out."""
    folder = shutil.copytree(find_artifact("default"), tmp_path / "own")
    manifest, _ = read_manifest(folder)
    write_manifest(folder, manifest.model_copy(update={"tasks": {"toxicity": manifest.tasks["toxicity"]}}))
    strategy = BagToxicity()
    strategy.open(Context(folder))
    assert faults(strategy) == []
    batch = batch_of(["you stupid fucking idiot", "have a nice day"])
    said = strategy.analyze(batch).to_pylist()
    assert [row["toxic"] for row in said] == [1, 0]
    assert all(math.isnan(row[name]) for row in said for name in ("hate", "offensive"))


def test_stance_toward_named_targets() -> None:
    """All of the model's targets, or those named in the order named; an unknown one tells the near miss."""
    strategy = BagStance()
    strategy.open(CONTEXT)
    batch = batch_of(["climate change is real and we must act now", "good morning"])
    whole = strategy.analyze(batch).to_pylist()
    assert whole[0]["targets"] == ["abortion", "atheism", "climate", "feminist", "hillary"]
    assert whole[0]["labels"][2] == "favor"
    strategy.open(Context(CONTEXT.artifact, {"targets": "hillary, climate"}))
    assert strategy.analyze(batch).to_pylist()[0]["targets"] == ["hillary", "climate"]
    with pytest.raises(EchoPulseError, match=r"no stance toward 'climat'.*did you mean 'climate'"):
        strategy.open(Context(CONTEXT.artifact, {"targets": "climat"}))


def test_stance_of_a_cascade_names_all_that_scored() -> None:
    """A text passed on toward some targets alone names both models; one passed on toward none or all, one of them."""
    strategy = CascadeStance()
    strategy.open(CONTEXT)
    batch = batch_of(
        [
            "good morning",
            "climate change is real and we must act now",
            "she should decide for herself",
            "god is great",
            "hillary lied about climate",
            "women deserve equal pay",
            "pray for the unborn",
            "the weather is odd",
        ]
    )
    model = load_model(find_artifact("cascade"))
    said = [model.answer(f"stance.{target}", batch).models.to_pylist() for target in model.manifest.stance_targets()]
    expected = ["+".join(sorted(set(models))) for models in zip(*said, strict=True)]
    assert [row["model"] for row in strategy.analyze(batch).to_pylist()] == expected
    assert any("+" in models for models in expected)
    assert any("+" not in models for models in expected)


def test_another_artifact() -> None:
    """The option `model` names one; an unknown name tells the near miss."""
    strategy = BagSentiment()
    strategy.open(Context(find_artifact("default"), {"model": "default"}))
    with pytest.raises(EchoPulseError, match="no model 'defualt'"):
        strategy.open(Context(find_artifact("default"), {"model": "defualt"}))
