"""The shipped transformer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import EchoPulseError
from transforms.artifact import SHIPPED, read_manifest
from transforms.loading import load_model
from transforms.transformer import GRAPH, MAX_PIECES, TOKENIZER, Transformer, padded, read_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = SHIPPED / "transformer"


@pytest.fixture(scope="module")
def model() -> Transformer:
    """The shipped one."""
    loaded = load_model(FOLDER)
    assert isinstance(loaded, Transformer)
    return loaded


def test_scores_do_not_depend_on_the_neighbours(model: Transformer) -> None:
    """A text has the scores it has alone, whatever the length of what stands beside it; repeats are scored alike."""
    texts = pa.array(["i love this", "bad", "word " * 200, "i love this", "", "the match was fine :joy:"])
    together = model.score(texts)
    for row in range(len(texts)):
        assert together[row] == pytest.approx(model.score(texts.slice(row, 1))[0], abs=1e-5)
    assert np.array_equal(together[0], together[3])
    assert model.score(texts.slice(0, 0)).shape == (0, together.shape[1])


def test_says_what_is_plain(model: Transformer) -> None:
    """Plain texts are understood."""
    batch = pa.RecordBatch.from_arrays(
        [pa.array(["i love this so much", "i hate you, you stupid idiot"])], ["normalised"]
    )
    assert model.answer("sentiment", batch).chosen.tolist() == [2, 0]
    assert model.answer("toxicity", batch).chosen.tolist() == [0, 1]


def test_pieces() -> None:
    """Long texts are cut; padding is masked, and of the id wanted."""
    tokenizer = read_tokenizer(FOLDER / TOKENIZER)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(["word " * 200, "one"])]
    assert [len(row) for row in ids] == [MAX_PIECES, 3]
    pieces, mask = padded(ids)
    assert mask.sum(axis=1).tolist() == [MAX_PIECES, 3]
    assert pieces[1, :3].tolist() == ids[1]
    assert not pieces[1, 3:].any()
    assert (padded(ids, 7)[0][1, 3:] == 7).all()


def test_what_cannot_be_run(tmp_path: Path) -> None:
    """A broken graph or tokeniser is told with its file."""
    folder = shutil.copytree(FOLDER, tmp_path / "broken")
    manifest, digest = read_manifest(folder)
    (folder / GRAPH).write_bytes(b"no graph")
    with pytest.raises(EchoPulseError, match=r"model\.onnx cannot be run"):
        Transformer(manifest, digest, folder)
    (folder / TOKENIZER).write_text("{}")
    with pytest.raises(EchoPulseError, match=r"tokenizer\.json is no tokeniser"):
        Transformer(manifest, digest, folder)
