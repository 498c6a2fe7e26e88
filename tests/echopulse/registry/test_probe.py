"""What no model may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from echopulse.registry.probe import probe
from schemas.errors import EchoPulseError
from tests.echopulse.registry.conftest import changed
from transforms.artifact import SHIPPED, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("name", ["default", "cascade"])
def test_what_ships_may_score(name: str) -> None:
    """A model of several tasks, and one that asks two others."""
    folder = SHIPPED / name
    assert probe(folder, read_manifest(folder)[1]).digest == read_manifest(folder)[1]


def _nothing(_: dict[str, Any]) -> None:
    pass


def _labels(document: dict[str, Any]) -> None:
    document["tasks"]["sentiment"]["labels"] = ["bad", "so-so", "good"]


def _unknown(document: dict[str, Any]) -> None:
    document["tasks"]["sentimnt"] = document["tasks"].pop("sentiment")


def _no_numbers(document: dict[str, Any]) -> None:
    document["tasks"]["sentiment"] |= {"slope": 1e308, "offsets": [1.7e308, 1.7e308, 1.7e308]}


def _columns(document: dict[str, Any]) -> None:
    document["tasks"]["sentiment"]["columns"] = [0, 1, 99]


def _grams(document: dict[str, Any]) -> None:
    document["hashing"]["char_grams"] = [1, 9]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            _labels,
            "has other labels for sentiment: bad, so-so, good (wanted, in this order: negative, neutral, positive)",
        ),
        (_unknown, "has a task 'sentimnt' (did you mean 'sentiment'?)"),
        (_no_numbers, "gives scores that are not numbers for sentiment"),
        (_columns, "cannot score: index 99 is out of bounds"),
        (_grams, "was made for other n-grams or another normalisation (train it again)"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_refused(change: Callable[[dict[str, Any]], None], told: str, tmp_path: Path) -> None:
    """Other labels, tasks, inputs and columns, and scores that are not numbers, each in one line."""
    folder, _ = changed(SHIPPED / "default", tmp_path / "model", change)
    with pytest.raises(EchoPulseError) as error:
        probe(folder)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_another_digest_and_a_damaged_file(tmp_path: Path) -> None:
    """The digest decides, and each file is checked."""
    folder, digest = changed(SHIPPED / "default", tmp_path / "model", _nothing)
    with pytest.raises(EchoPulseError) as error:
        probe(folder, "sha256:" + "0" * 64)
    assert str(error.value) == f"{folder} is {digest}, not sha256:{'0' * 64} (nothing was changed)"
    content = bytearray((folder / "table.npy").read_bytes())
    content[-1] ^= 1
    (folder / "table.npy").write_bytes(content)
    with pytest.raises(EchoPulseError, match="is not the file of its manifest"):
        probe(folder)


def test_a_cascade_of_models_of_this_machine_is_refused(tmp_path: Path) -> None:
    """Others could not open it."""

    def own(document: dict[str, Any]) -> None:
        document["cascade"]["second"] = "../mine"

    folder, _ = changed(SHIPPED / "cascade", tmp_path / "model", own)
    with pytest.raises(EchoPulseError, match=r"asks '\.\./mine', which other machines do not have"):
        probe(folder)
