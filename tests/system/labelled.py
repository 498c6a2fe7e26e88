"""Labelled texts for trainings of the tests: the project's own where there are any, else made up."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from echopulse.training.datasets import TASKS

#: What is no part of the repository; LABELLED_TEXTS names another folder of the same files.
_OURS = Path(__file__).parents[3] / "shared" / "data"
_NAMES = ("sentiment", "offensive", "hate")
_WORDS = {
    "negative": ("terrible", "awful", "boring", "broken"),
    "neutral": ("scheduled", "tomorrow", "channel", "episode"),
    "positive": ("lovely", "brilliant", "wonderful", "great"),
    "offensive": ("idiot", "moron", "pathetic", "garbage"),
    "hate": ("vermin", "subhuman", "disgusting", "filth"),
    "not_offensive": ("hello", "welcome", "thanks", "goal"),
    "not_hate": ("hello", "welcome", "thanks", "goal"),
}
_FILLERS = ("the", "stream", "today", "they", "said", "that", "game", "match", "again", "so", "you", "was", "really")


def write_labelled(folder: Path, rows: int, held: int) -> None:
    """Write training and validation rows of sentiment and toxicity: the first `rows`, and `held`, of each file."""
    folder.mkdir(exist_ok=True)
    source = Path(os.environ["LABELLED_TEXTS"]) if "LABELLED_TEXTS" in os.environ else _OURS
    for name in _NAMES:
        for split, count in (("train", rows), ("val", held)):
            file = f"{name}.{split}.parquet"
            table = pq.read_table(source / file).slice(0, count) if source.is_dir() else _made(name, split, count)
            partial = folder / f".{file}"
            pq.write_table(table, partial)
            partial.replace(folder / file)


def _made(name: str, split: str, count: int) -> pa.Table:
    random = np.random.default_rng(sum(f"{name}.{split}".encode()))
    labels = random.choice(TASKS[name].labels, count)
    texts = []
    for label in labels:
        words = [*random.choice(_FILLERS, random.integers(3, 9)), *random.choice(_WORDS[label], 2)]
        texts.append(" ".join(random.permutation(words)))
    return pa.table({"text": texts, "label": labels.tolist()})
