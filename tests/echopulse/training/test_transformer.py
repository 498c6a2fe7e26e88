"""Fine-tuning a transformer end to end: a tiny one of the test's own weights, on texts of our own."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from echopulse.training import transformer
from echopulse.training.datasets import chosen_tasks
from echopulse.training.evaluation import evaluate
from echopulse.training.heads import load_all
from echopulse.training.trainers import Order, cross_validate_cascade
from echopulse.training.transformer import Recipe, base_folder, fit
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest
from transforms.transformer import TOKENIZER

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.training.folds import Examples

TASKS = chosen_tasks(["sentiment", "toxicity", "stance"])
_WORDS = [
    *("awful", "sad", "broken", "table", "monday", "train", "great", "happy", "sun", "dunce", "oaf", "twit", "friend"),
    *("neighbour", "colleague", "cats", "dogs", "meow", "bark", "number", "today", "the", "a", "i", "is", "are", "you"),
    *("they", "we", "http", "user", "@", "#", ".", ",", "!", "?"),
]
_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *_WORDS, *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]


@pytest.fixture(scope="module", autouse=True)
def torch_is_there() -> None:
    """Skip where a user has not installed the extra `train`, fail where CI lacks it."""
    missing = [name for name in ("torch", "transformers", "onnx") if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)}: not installed, but CI must train a transformer (make train-environment)")
    pytest.skip(f"{', '.join(missing)}: not installed; make train-environment installs the extra `train`")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two small layers with weights by chance, in Hugging Face's form."""
    import torch  # noqa: PLC0415 - in the extra `train`, as the next
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(_PIECES),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(WordPiece({piece: place for place, piece in enumerate(_PIECES)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", _PIECES.index("[CLS]")), ("[SEP]", _PIECES.index("[SEP]"))]
    )
    tokenizer.save(str(folder / TOKENIZER))
    return folder


def _parts(data: Path) -> tuple[Examples, Examples]:
    return load_all(data, TASKS, "train"), load_all(data, TASKS, "val")


def _ignore(line: str) -> None:
    del line


def _recipe(base: Path, epochs: float, seed: int = 0) -> Recipe:
    return Recipe(seed=seed, epochs=epochs, rate=3e-3, head_rate=3e-3, batch=16, base=str(base))


def test_learns(base: Path, data: Path, tmp_path: Path) -> None:
    """What is plain in the words is learnt, for every task, through export, quantisation and calibration."""
    said: list[str] = []
    fit(*_parts(data), tmp_path / "own", _recipe(base, 12.0), said.append)
    document = evaluate(str(tmp_path / "own"), data, "test")
    assert set(document["tasks"]) == set(TASKS)
    assert {name: task["value"] > 90 for name, task in document["tasks"].items()} == dict.fromkeys(TASKS, True)
    assert any(line.startswith("step 100 of ") for line in said)


def test_same_data_and_seed_same_digest(base: Path, data: Path, tmp_path: Path) -> None:
    """Two runs give the same bytes; another seed gives others."""
    digests = [
        fit(*_parts(data), tmp_path / str(run) / "own", _recipe(base, 0.2, seed), _ignore)
        for run, seed in enumerate((0, 0, 1))
    ]
    assert digests[0] == digests[1] != digests[2]
    manifest, _ = read_manifest(tmp_path / "0" / "own")
    assert manifest.kind == "onnx"
    assert set(manifest.files) == {"model.onnx", TOKENIZER}


def test_a_base_that_is_none(tmp_path: Path) -> None:
    """A folder without config.json is refused by name."""
    with pytest.raises(EchoPulseError, match=r"holds no config\.json") as refused:
        base_folder(str(tmp_path))
    assert str(tmp_path) in str(refused.value)


def test_cross_validates_a_cascade(base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each fold a transformer, a bag that it taught and a cascade of both say the rows that none of them saw."""
    monkeypatch.setattr(transformer, "base_folder", lambda _: base)
    order = Order("cascade", (), data, tmp_path / "out", unlabelled=(data / "hate.test.parquet",), folds=2)
    said: list[str] = []
    found = cross_validate_cascade(order, said.append)
    assert list(found) == ["bag", "transformer", "cascade"]
    rows = {name: task["rows"] for name, task in found["bag"].items()}
    assert list(rows) == list(TASKS)
    for tasks in found.values():
        assert {name: task["rows"] for name, task in tasks.items()} == rows
        assert all(len(task["folds"]) == 2 for task in tasks.values())
    assert sum(line.startswith("asking transformer about ") for line in said) == 2
