"""Sentences that name a group of people."""

from __future__ import annotations

from echopulse.training.identity import ASKED, LEARNT, TERMS, identity_false_positives, sentences
from transforms.artifact import find_artifact
from transforms.loading import load_model

#: Percent; measured on the default model, in all and in its worst group, with a little air.
ALL, WORST = 8.0, 15.0


def test_what_is_asked_was_not_learnt() -> None:
    """No evaluated sentence is one to learn from."""
    assert not {*LEARNT} & {*ASKED}
    assert not {*sentences(LEARNT)[0].to_pylist()} & {*sentences(ASKED)[0].to_pylist()}


def test_naming_a_group_is_seldom_toxic() -> None:
    """The default model takes few harmless sentences that name a group for toxic, in every group."""
    found = identity_false_positives(load_model(find_artifact("default")))
    assert found["rows"] == len(ASKED) * sum(map(len, TERMS.values()))
    assert found["all"] <= ALL
    assert max(found["groups"].values()) <= WORST
