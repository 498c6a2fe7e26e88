"""Model cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.training.card import write_card
from echopulse.training.order import Order
from echopulse.training.trainers import train_model
from transforms.artifact import SHIPPED, read_manifest

if TYPE_CHECKING:
    from pathlib import Path


def _ignore(line: str) -> None:
    del line


def test_card(data: Path, tmp_path: Path) -> None:
    """The card names digest, sources, metrics, folds, evasion, groups, recipe and limits."""
    document = train_model(Order("bag", ("sentiment", "toxicity"), data, tmp_path / "own", folds=2), _ignore)
    write_card(tmp_path / "own", document)
    text = (tmp_path / "own" / "README.md").read_text()
    for part in (
        document["digest"],
        "`davidson.parquet`",
        "| sentiment | macro_recall |",
        "## Cross-validation\n2 folds",
        "| bag | sentiment | macro_recall |",
        "## Under evasion",
        "## Naming a group",
        "## Limits",
        "Languages: en",
    ):
        assert part in text


def test_a_cascades_tuning(data: Path, tmp_path: Path) -> None:
    """Of models that are named, the folds are of the tuning alone; the difference to the second is told."""
    order = Order("cascade", (), data, tmp_path / "own", folds=2, first="default", second=str(tmp_path / "strong"))
    train_model(Order("bag", ("sentiment",), data, tmp_path / "strong"), _ignore)
    document = train_model(order, _ignore)
    assert "cross_validation" not in document
    found = document["tuning_cross_validation"]["cascade"]["sentiment"]
    write_card(tmp_path / "own", document)
    text = (tmp_path / "own" / "README.md").read_text()
    assert "## Cross-validation of the tuning\n2 folds of the validation rows" in text
    assert f"--folds 2 --first default --second {tmp_path / 'strong'} …`" in text
    beside = f"{100 * found['asked']:.0f} | {found['difference']['value']:+.2f}"
    assert f"{found['low']:.2f} to {found['high']:.2f} | {beside} |" in text


def test_the_command_is_the_one_given(data: Path, tmp_path: Path) -> None:
    """Run again as the card says: the kind, the teacher and the texts that nobody labelled are named."""
    order = Order(
        "bag", ("sentiment",), data, tmp_path / "own", teacher="default", unlabelled=(data / "hate.test.parquet",)
    )
    write_card(tmp_path / "own", train_model(order, _ignore))
    card = (tmp_path / "own" / "README.md").read_text()
    wanted = "--data DIR --output DIR --teacher MODEL --unlabelled DIR/hate.test.parquet`"
    assert f"`echopulse train sentiment {wanted}" in card
    transformer = (SHIPPED / "transformer" / "README.md").read_text()
    assert (
        "stance --data DIR --output DIR --kind transformer --teachers 3 --teacher-base FOLDER --unlabelled"
        in transformer
    )
    assert "the word of 3 networks that were fine-tuned from\nsentence-transformers/all-mpnet-base-v2" in transformer
    assert "teacher base sentence-transformers/all-mpnet-base-v2" in transformer


def test_shipped_cards_are_of_their_artifacts() -> None:
    """Each shipped card tells the digest of the artifact beside it."""
    for card in SHIPPED.glob("*/README.md"):
        _, digest = read_manifest(card.parent)
        assert f"Digest: `{digest}`" in card.read_text()
