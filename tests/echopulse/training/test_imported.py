"""Artifacts made of small checkpoints of each family, which score as the checkpoints do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from echopulse.training.card import write_card
from echopulse.training.imported import ImportOrder, import_checkpoint
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest
from transforms.conformance import TEXTS, faults
from transforms.loading import load_model
from transforms.model import TableModel, question
from transforms.reading import STYLES
from transforms.strategies.model_sentiment import TransformerSentiment
from transforms.strategies.model_toxicity import TransformerToxicity
from transforms.strategy import Context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Made = Callable[..., Path]

MOODS = ("negative", "neutral", "positive")
TOXIC = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
SHORT_AND_LONG = (*TEXTS, "a sad @user number", "Happy SUN today http://example.org", "great table " * 60)
#: Of 8 bits, and of 32.
CLOSE, SAME = 0.06, 1e-5


def _ignore(line: str) -> None:
    del line


def _by_transformers(folder: Path, texts: list[str], pieces: int) -> NDArray[np.float64]:
    """The scores of a checkpoint's own labels, all texts in one padded batch, as transformers computes them."""
    import torch  # noqa: PLC0415 - in the extra `train`, as the next
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    net = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    batch = AutoTokenizer.from_pretrained(folder)(
        texts, padding=True, truncation=True, max_length=pieces, return_tensors="pt"
    )
    with torch.inference_mode():
        scores: NDArray[np.float64] = np.asarray(net(**batch).logits, np.float64)
    return scores


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
    return chances


def _sigmoid(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = 1 / (1 + np.exp(-scores))
    return chances


def _read(folder: Path) -> tuple[list[str], int]:
    """What a checkpoint is given of the texts by the artifact's style, and how many pieces of each."""
    reading = read_manifest(folder)[0].reading
    column, worded = STYLES[reading.style]
    return worded(question(pa.array(SHORT_AND_LONG)).column(column)).to_pylist(), reading.pieces


@pytest.mark.parametrize(
    ("family", "style", "off"),
    [
        ("bert", "tweet", CLOSE),
        ("bert", "normalised", CLOSE),
        ("distilbert", "normalised", CLOSE),
        ("roberta", "written", CLOSE),
        ("roberta", "tweet", SAME),
    ],
)
def test_scores_are_the_checkpoint_s(checkpoint: Made, tmp_path: Path, family: str, style: str, off: float) -> None:
    """Whatever the family and the style of reading, in 8 bits nearly and in 32 exactly; alone as among others."""
    own = checkpoint(family, MOODS)
    output = tmp_path / "own"
    order = ImportOrder(str(own), ("sentiment",), output, style=style, floats=off == SAME)
    document = import_checkpoint(order, _ignore)
    model = load_model(output)
    assert isinstance(model, TableModel)
    assert (document["digest"], document["tasks"]) == (model.digest, {})
    said = model.answer("sentiment", question(pa.array(SHORT_AND_LONG))).probabilities
    wanted = _softmax(_by_transformers(own, *_read(output)))
    assert np.ptp(wanted, axis=0).max() > 0.2, "a checkpoint that says the same of all texts tests nothing"
    np.testing.assert_allclose(said, wanted, atol=off)
    strategy = TransformerSentiment()
    strategy.open(Context(output, {"model": str(output)}))
    assert faults(strategy, SHORT_AND_LONG) == []


@pytest.mark.parametrize(("family", "pieces", "padding"), [("bert", 64, 0), ("roberta", 40, 1), ("distilbert", 64, 0)])
def test_manifest(checkpoint: Made, tmp_path: Path, family: str, pieces: int, padding: int) -> None:
    """It names the checkpoint, its files, whose labels became which, and how texts are read."""
    own = checkpoint(family, MOODS)
    import_checkpoint(ImportOrder(str(own), ("sentiment",), tmp_path / "own", languages=("en", "de")), _ignore)
    manifest, _ = read_manifest(tmp_path / "own")
    assert (manifest.reading.pieces, manifest.reading.padding) == (pieces, padding)
    assert manifest.tasks["sentiment"].languages == ("en", "de")
    assert manifest.training["checkpoint"] == "tiny"
    assert set(manifest.training["origin"]) == {"config.json", "model.safetensors"}
    assert manifest.training["labels"] == {"sentiment": {mood: [mood] for mood in MOODS}}


def test_labels_that_hold_each_by_itself(checkpoint: Made, tmp_path: Path) -> None:
    """Of toxic-bert's labels the one that is meant is taken, for hate and offence those nearest."""
    own = checkpoint("bert", TOXIC, "multi_label_classification")
    output = tmp_path / "own"
    import_checkpoint(ImportOrder(str(own), ("toxicity",), output), _ignore)
    wanted = _sigmoid(_by_transformers(own, *_read(output)))
    strategy = TransformerToxicity()
    strategy.open(Context(output, {"model": str(output)}))
    assert faults(strategy, SHORT_AND_LONG) == []
    model = load_model(output)
    for task, label in (("toxicity", "toxic"), ("hate", "identity_hate"), ("offensive", "insult")):
        said = model.answer(task, question(pa.array(SHORT_AND_LONG))).probabilities[:, 1]
        np.testing.assert_allclose(said, wanted[:, TOXIC.index(label)], atol=CLOSE)


def test_two_labels_of_which_one_holds(checkpoint: Made, tmp_path: Path) -> None:
    """The probability of the second is that of the softmax; hate and offence, which it lacks, are left out."""
    own = checkpoint("distilbert", ("non-toxic", "toxic"))
    output = tmp_path / "own"
    import_checkpoint(ImportOrder(str(own), ("toxicity",), output), _ignore)
    said = load_model(output).answer("toxicity", question(pa.array(SHORT_AND_LONG))).probabilities
    np.testing.assert_allclose(said, _softmax(_by_transformers(own, *_read(output))), atol=CLOSE)
    assert set(read_manifest(output)[0].tasks) == {"toxicity"}


def test_several_labels_for_one(checkpoint: Made, tmp_path: Path) -> None:
    """Stars become moods, whose probabilities are those of their stars added up; one output is a sigmoid's."""
    stars = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
    own = checkpoint("bert", stars)
    import_checkpoint(ImportOrder(str(own), ("sentiment",), tmp_path / "stars"), _ignore)
    theirs = _softmax(_by_transformers(own, *_read(tmp_path / "stars")))
    said = load_model(tmp_path / "stars").answer("sentiment", question(pa.array(SHORT_AND_LONG))).probabilities
    added = np.stack([theirs[:, :2].sum(axis=1), theirs[:, 2], theirs[:, 3:].sum(axis=1)], axis=1)
    np.testing.assert_allclose(said, added, atol=CLOSE)
    one = checkpoint("bert", ("LABEL_0",))
    order = ImportOrder(str(one), ("hate",), tmp_path / "one", labels="LABEL_0=hate")
    import_checkpoint(order, _ignore)
    said = load_model(tmp_path / "one").answer("hate", question(pa.array(SHORT_AND_LONG))).probabilities[:, 1]
    np.testing.assert_allclose(said, _sigmoid(_by_transformers(one, *_read(tmp_path / "one")))[:, 0], atol=CLOSE)


def test_calibrated_on_rows_of_one_s_own(checkpoint: Made, data: Path, tmp_path: Path) -> None:
    """With data its slopes and thresholds are fitted, it is evaluated, and the card says on which files."""
    order = ImportOrder(
        str(checkpoint("bert", TOXIC, "multi_label_classification")), ("toxicity",), tmp_path / "own", data
    )
    document = import_checkpoint(order, _ignore)
    assert set(document["tasks"]) == {"toxicity", "hate", "offensive"}
    manifest, digest = read_manifest(tmp_path / "own")
    assert document["digest"] == digest
    assert all(task.slope != 1.0 for task in manifest.tasks.values())
    write_card(tmp_path / "own", document)
    card = (tmp_path / "own" / "README.md").read_text()
    assert "`hate.val.parquet`" in card
    assert "hate.train.parquet" not in card


def test_same_checkpoint_same_digest(checkpoint: Made, data: Path, tmp_path: Path) -> None:
    """Made twice, the bytes are the same; a stance is toward the target that is named, and calibrated on its rows."""
    own = str(checkpoint("roberta", ("none", "against", "favor")))
    digests = []
    for run in ("a", "b"):
        order = ImportOrder(own, ("stance.cats",), tmp_path / run / "own", data)
        document = import_checkpoint(order, _ignore)
        assert document["tasks"]["stance"]["rows"] == 30
        digests.append(document["digest"])
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"tasks": ("hate",)}, r"of which not each can be told for not_hate, hate \(say it: --labels 'negative="),
        ({"style": "tweets"}, r"no style 'tweets' of reading \(did you mean 'tweet'\?\)"),
        ({"data": "nothing"}, "has no validation rows of the checkpoint's tasks .wanted: sentiment.val.parquet"),
    ],
)
def test_faults(checkpoint: Made, tmp_path: Path, order: dict[str, Any], told: str) -> None:
    """What cannot be is told before anything is written."""
    if "data" in order:
        order = {"data": tmp_path}
    whole = {"tasks": ("sentiment",), **order}
    with pytest.raises(EchoPulseError, match=told):
        import_checkpoint(ImportOrder(str(checkpoint("bert", MOODS)), output=tmp_path / "own", **whole), _ignore)
    assert not (tmp_path / "own").exists()
