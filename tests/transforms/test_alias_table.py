"""The alias table: claims, priors and the weights of context words."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.alias_table import BACKGROUND, LEAST_NIL, alias_table, fold, split_words
from transforms.knowledge_base import Entity, PlainWords


def _entity(own: str, name: str, prior: float, *context: str, **fields: dict[str, float]) -> Entity:
    return Entity(id=own, name=name, type="t", description="", prior=prior, context=context, **fields)


ENTITIES = [
    _entity("a", "Zorp", 0.5, "one", "two", "the"),
    _entity("b", "Zorp", 0.9, "two", alias_priors={"ZORP": 0.25, "blip": 0.1}),
]
TABLE = alias_table(ENTITIES, PlainWords(plain=("the",), joiners=("of",), type_context={"t": ("kind",)}))


def test_claims() -> None:
    """Every alias has its claimants, with the prior of their own for it where they state one."""
    assert TABLE.claim_offsets.tolist() == [0, 1, 3]
    assert TABLE.claimants.tolist() == [1, 0, 1]
    assert np.exp(TABLE.log_priors).tolist() == pytest.approx([0.1, 0.5, 0.25])
    assert np.exp(TABLE.nil_log_priors).tolist() == pytest.approx([0.9, 0.25])


def test_priors_that_exceed_one_are_scaled() -> None:
    """NIL keeps a little where the claimants together claim everything."""
    table = alias_table([_entity("a", "X", 1.0), _entity("b", "X", 1.0)], PlainWords())
    assert np.exp(table.log_priors).tolist() == pytest.approx([(1 - LEAST_NIL) / 2] * 2)
    assert np.exp(table.nil_log_priors).tolist() == pytest.approx([LEAST_NIL])


def test_a_prior_of_zero_is_no_fault() -> None:
    """An entity that its alias never means has a tiny prior, not a logarithm of nothing."""
    assert np.isfinite(alias_table([_entity("a", "X", 0.0)], PlainWords()).log_priors).all()


def test_weights() -> None:
    """A term's weight is log(1 + (1 - λ) / (λ |T| q)); plain words are no terms, the type's words are."""
    first = TABLE.weights[TABLE.term_offsets[0] : TABLE.term_offsets[1]]
    second = TABLE.weights[TABLE.term_offsets[1] : TABLE.term_offsets[2]]
    odds = (1 - BACKGROUND) / BACKGROUND
    # Terms: zorp one two kind, and zorp two kind; seven in all, three of them twice.
    assert sorted(first) == pytest.approx(sorted(np.log1p(odds / (4 * np.array([1, 2, 2, 2]) / 7))))
    assert second.tolist() == pytest.approx([np.log1p(odds / (3 * 2 / 7))] * 3)


def test_no_entities() -> None:
    """An empty knowledge base makes a table that finds nothing."""
    assert len(alias_table([], PlainWords()).claimants) == 0


def test_words_of_aliases() -> None:
    """Aliases are folded, and parted into words at what is no letter, digit or underscore."""
    assert fold(" \uff21\uff22 É ") == "ab é"
    assert split_words("o'neal, sci-fi_2") == ["o", "neal", "sci", "fi_2"]
