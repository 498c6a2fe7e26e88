"""A folder of labelled texts of our own making, in the form of the real one."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

    from tokenizers import Tokenizer

_MOODS = {
    "negative": ("awful", "sad", "broken"),
    "neutral": ("table", "monday", "train"),
    "positive": ("great", "happy", "sun"),
}
#: What the tokenisers of small checkpoints learn their pieces from.
_LINES = [" ".join(word for words in _MOODS.values() for word in words), "@user You, FRIEND! http number today :)"] * 9
_INSULTS = {"offensive": ("dunce", "oaf", "twit"), "not_offensive": ("friend", "neighbour", "colleague")}


def _write(path: Path, words: Mapping[str, tuple[str, ...]], rows: int) -> None:
    labels = [label for _ in range(rows) for label in words]
    texts = [f"{words[label][place % 3]} number {place} today" for place, label in enumerate(labels)]
    pq.write_table(pa.table({"text": texts, "label": labels}), path)


def _stances(rows: int) -> pa.Table:
    """Toward cats and dogs, whose words mean the opposite for the other."""
    words = {"cats": ("meow", "bark"), "dogs": ("bark", "meow")}
    table: dict[str, list[str]] = {"text": [], "label": [], "target": []}
    for place in range(rows):
        for target, (liked, disliked) in words.items():
            for label, word in (("favor", liked), ("against", disliked), ("none", "table")):
                table["text"].append(f"{target} {word} number {place} today")
                table["label"].append(label)
                table["target"].append(target)
    return pa.table(table)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files for sentiment, offensive, hate and stance (train, val, test) and one without splits."""
    folder = tmp_path_factory.mktemp("data")
    hate = {label.replace("offensive", "hate"): words for label, words in _INSULTS.items()}
    for split, rows in (("train", 40), ("val", 10), ("test", 10)):
        _write(folder / f"sentiment.{split}.parquet", _MOODS, rows)
        _write(folder / f"offensive.{split}.parquet", _INSULTS, rows)
        _write(folder / f"hate.{split}.parquet", hate, rows)
        pq.write_table(_stances(rows), folder / f"stance.{split}.parquet")
    three = {"hate": ("dunce",) * 3, "offensive": ("oaf",) * 3, "neither": ("friend",) * 3}
    _write(folder / "davidson.parquet", three, 20)
    return folder


_WORDS = [
    *("awful", "sad", "broken", "table", "monday", "train", "great", "happy", "sun", "dunce", "oaf", "twit", "friend"),
    *("neighbour", "colleague", "cats", "dogs", "meow", "bark", "number", "today", "the", "a", "i", "is", "are", "you"),
    *("they", "we", "http", "user", "@", "#", ".", ",", "!", "?"),
]
_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *_WORDS, *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]


@pytest.fixture(scope="session")
def train_extra() -> None:
    """Skip where a user has not installed the extra `train`, fail where CI lacks it."""
    missing = [name for name in ("torch", "transformers", "onnx") if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)}: not installed, but CI must have them (make train-environment)")
    pytest.skip(f"{', '.join(missing)}: not installed; make train-environment installs the extra `train`")


def _word_pieces(tokenizers: ModuleType) -> tuple[Tokenizer, dict[str, str]]:
    """BERT's: lower case, [CLS] and [SEP], padding 0."""
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=200, special_tokens=list(names.values()), show_progress=False
    )
    made.train_from_iterator(_LINES, trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made, names


def _bytes(tokenizers: ModuleType) -> tuple[Tokenizer, dict[str, str]]:
    """RoBERTa's: pairs of bytes, case kept, <s> and </s>, padding 1."""
    names = {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "<unk>"}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(names.values()),
        show_progress=False,
    )
    made.train_from_iterator(_LINES, trainer)
    made.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made, names


@pytest.fixture(scope="session")
def checkpoint(train_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a small classifier with weights by chance, in Hugging Face's form, once for each family and labels."""
    del train_extra
    import tokenizers  # noqa: PLC0415 - as the next, in the extra `train` or slow to import
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    @cache
    def made(family: str, labels: tuple[str, ...], problem: str | None = None) -> Path:
        tokenizer, names = (_bytes if family == "roberta" else _word_pieces)(tokenizers)
        named = {
            "num_labels": len(labels),
            "problem_type": problem,
            "id2label": dict(enumerate(labels)),
            "label2id": {label: index for index, label in enumerate(labels)},
        }
        common = {"vocab_size": tokenizer.get_vocab_size(), "initializer_range": 0.2, **named}
        layers = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 192}
        torch.manual_seed(5)
        if family == "bert":
            config = transformers.BertConfig(max_position_embeddings=128, **layers, **common)
            net = transformers.BertForSequenceClassification(config)
        elif family == "roberta":
            # Two positions more than a text may have pieces: they count from behind the padding.
            config = transformers.RobertaConfig(max_position_embeddings=42, type_vocab_size=1, **layers, **common)
            net = transformers.RobertaForSequenceClassification(config)
        else:
            config = transformers.DistilBertConfig(
                max_position_embeddings=128, dim=64, n_layers=2, n_heads=4, hidden_dim=192, **common
            )
            net = transformers.DistilBertForSequenceClassification(config)
        folder = tmp_path_factory.mktemp(family) / "tiny"
        net.save_pretrained(folder)
        transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def base(train_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two small layers with weights by chance, in Hugging Face's form."""
    del train_extra
    import torch  # noqa: PLC0415 - in the extra `train`, as the next
    from tokenizers import Tokenizer  # noqa: PLC0415 - as above
    from tokenizers.models import WordPiece  # noqa: PLC0415
    from tokenizers.normalizers import BertNormalizer  # noqa: PLC0415
    from tokenizers.pre_tokenizers import BertPreTokenizer  # noqa: PLC0415
    from tokenizers.processors import TemplateProcessing  # noqa: PLC0415
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
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
