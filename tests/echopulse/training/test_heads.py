"""Heads, and what rows teach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from echopulse.training.heads import lay_out, lessons, load_all, width

if TYPE_CHECKING:
    from pathlib import Path


def test_layout(data: Path) -> None:
    """Two labels have one column, more have one each; each target has a head of its own."""
    heads = lay_out(load_all(data, ["sentiment", "hate", "stance"], "train"))
    assert [(head.name, head.columns) for head in heads] == [
        ("sentiment", (0, 1, 2)),
        ("hate", (3,)),
        ("stance.cats", (4, 5, 6)),
        ("stance.dogs", (7, 8, 9)),
    ]
    assert width(heads) == 10
    assert [head.declared().link for head in heads] == ["softmax", "sigmoid", "softmax", "softmax"]


def test_rows_teach_their_own_head(data: Path) -> None:
    """A row weighs in one head, wants its label there, and labels even out."""
    examples = load_all(data, ["sentiment", "hate", "stance"], "train")
    heads = lay_out(examples)
    learnt = lessons(heads, examples, 1.0)
    assert len(learnt.texts) == 120 + 80 + 240
    assert ((learnt.weights > 0).sum(axis=1) == 1).all()
    for index, head in enumerate(heads):
        own = learnt.weights[:, index] > 0
        wanted = learnt.wanted[np.ix_(own, np.array(head.columns))]
        labels = head.own(examples[head.task.name]).labels
        assert (wanted[:, 0] == labels).all() if len(head.columns) == 1 else (wanted.argmax(axis=1) == labels).all()
        assert learnt.weights[own, index].mean() == pytest.approx(1.0)


def test_off_topic(data: Path) -> None:
    """A text that is not about a target teaches its head none, lightly."""
    examples = load_all(data, ["sentiment", "stance"], "train")
    assert examples["stance"].targets is not None
    heads = lay_out(examples)
    learnt = lessons(heads, examples, 1.0, off_topic=0.1)
    cats = learnt.weights[:, 1]
    own = len(examples["sentiment"].labels) + np.flatnonzero(
        np.array([target == "cats" for target in examples["stance"].targets.to_pylist()])
    )
    others = np.setdiff1d(np.arange(len(learnt.texts)), own)
    assert cats[others] == pytest.approx(np.full(len(others), 0.1))
    assert (learnt.wanted[np.ix_(others, np.array(heads[1].columns))] == [1.0, 0.0, 0.0]).all()
