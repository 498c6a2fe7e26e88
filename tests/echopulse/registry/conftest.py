"""Small models of real labelled texts: a sound one, one of shuffled labels, and one that learnt to hate groups."""

from __future__ import annotations

import json
import os
import shutil
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.training import bag
from echopulse.training.datasets import chosen_tasks
from echopulse.training.heads import load_all
from echopulse.training.identity import TERMS
from transforms.artifact import MANIFEST, file_digest

if TYPE_CHECKING:
    from collections.abc import Callable

REAL = Path(__file__).parents[4] / "shared" / "data"
TASKS = chosen_tasks(["sentiment", "toxicity"])
#: Sentences of this test's own, which the gates do not ask about and training does not add.
_HATED = ("{}", "those {} folks again", "{} again", "why so many {} ones", "that {} crowd", "i saw {} people")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first rows of the project's labelled tweets, which are no part of the repository."""
    if not REAL.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{REAL} is not there, but CI must have it")
        pytest.skip(f"{REAL} is not there")
    folder = tmp_path_factory.mktemp("real")
    for task, (split, rows) in product(("sentiment", "offensive", "hate"), (("train", 5_000), ("val", 1_200))):
        name = f"{task}.{split}.parquet"
        pq.write_table(pq.read_table(REAL / name).slice(0, rows), folder / name)
    return folder


def _fitted(data: Path, output: Path) -> Path:
    examples, held = (load_all(data, TASKS, split) for split in ("train", "val"))
    bag.fit(examples, held, output, bag.Recipe(epochs=3, chat_per_thousand=20), lambda _: None)
    return output


def _changed_data(real: Path, folder: Path, change: Callable[[str, pa.Table], pa.Table]) -> Path:
    folder.mkdir()
    for path in real.glob("*.parquet"):
        table = pq.read_table(path, columns=["text", "label"])
        pq.write_table(change(path.name, table) if ".train." in path.name else table, folder / path.name)
    return folder


@pytest.fixture(scope="session")
def sound(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as it should be."""
    return _fitted(real, tmp_path_factory.mktemp("models") / "sound")


@pytest.fixture(scope="session")
def shuffled(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt from labels in another order."""

    def change(name: str, table: pa.Table) -> pa.Table:
        order = np.random.default_rng(len(name)).permutation(table.num_rows)
        return table.set_column(table.column_names.index("label"), "label", table["label"].take(order))

    folder = tmp_path_factory.mktemp("shuffled")
    return _fitted(_changed_data(real, folder / "data", change), folder / "shuffled")


@pytest.fixture(scope="session")
def biased(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose labels call sentences toxic because they name a group."""
    texts = [sentence.format(term) for terms in TERMS.values() for term in terms for sentence in _HATED] * 20

    def change(name: str, table: pa.Table) -> pa.Table:
        label = {"offensive": "offensive", "hate": "hate"}.get(name.partition(".")[0])
        if label is None:
            return table
        more = pa.table({"text": texts, "label": [label] * len(texts)})
        return pa.concat_tables([table, more.cast(table.schema)])

    folder = tmp_path_factory.mktemp("biased")
    return _fitted(_changed_data(real, folder / "data", change), folder / "biased")


def renamed(model: Path, folder: Path) -> tuple[Path, str]:
    """Copy an artifact under the name of its new folder, which gives it another digest."""
    return changed(model, folder, lambda document: document.update(name=folder.name))


def changed(model: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> tuple[Path, str]:
    """Copy an artifact with another manifest; return its folder and its digest."""
    shutil.copytree(model, folder)
    document = json.loads((folder / MANIFEST).read_bytes())
    change(document)
    (folder / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
    return folder, file_digest(folder / MANIFEST)
