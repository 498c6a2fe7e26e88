"""Kinds of analysis: known ones, a user's own, and what no kind can be."""

from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.arrow import ANALYSED
from schemas.errors import EchoPulseError
from transforms.kinds import KINDS, declared_kind

OWN = pa.struct([("tone", pa.string()), ("strength", pa.float64()), ("loud", pa.bool_()), ("model", pa.string())])


@pytest.mark.parametrize("name", KINDS)
def test_known_kinds_fill_columns_of_the_result(name: str) -> None:
    """Each field but `model` has a column of its type, and the neutral value is one of the type."""
    kind = KINDS[name]
    neutral = pa.array([kind.neutral], kind.type)
    split = kind.split(neutral)
    assert {column: values.type for column, values in split.items()} == {
        column: ANALYSED.field(column).type for column in kind.columns.values()
    }
    assert f"model_{name}" in ANALYSED.names
    assert declared_kind(name, kind.type) is kind


def test_a_kind_of_the_users_own() -> None:
    """Its parts are named `kind.field`, `model` is told apart, its neutral value is nothing at all."""
    kind = declared_kind("mood", OWN)
    assert kind.neutral == {"tone": "", "strength": 0.0, "loud": False, "model": ""}
    output = pa.array([{"tone": "dry", "strength": 0.5, "loud": True, "model": "m"}], OWN)
    assert {name: values.to_pylist() for name, values in kind.split(output).items()} == {
        "mood.tone": ["dry"],
        "mood.strength": [0.5],
        "mood.loud": [True],
    }
    models = kind.models(output)
    assert models is not None
    assert models.to_pylist() == ["m"]
    single = declared_kind("spam", pa.float64())
    assert list(single.split(pa.array([0.5]))) == ["spam"]
    assert single.models(pa.array([0.5])) is None


@pytest.mark.parametrize(
    ("name", "type_", "told"),
    [
        ("clustr", pa.string(), "no kind of analysis 'clustr' (did you mean 'cluster'?)"),
        ("cluster", pa.int64(), "type is int64, cluster gives string"),
        ("Mood", pa.string(), "no kind can be named 'Mood'"),
        ("hate", pa.float64(), "no kind can be named 'hate'"),
        ("mood", pa.int64(), "mood cannot give int64 (one of double, int32, bool, string, or a struct of these)"),
        ("mood", pa.struct([]), "mood cannot give struct<>"),
        ("mood", pa.struct([("tags", pa.list_(pa.string()))]), "mood.tags cannot be list<item: string>"),
        ("mood", pa.struct([("model", pa.float64())]), "mood.model is double, not string"),
    ],
)
def test_what_no_kind_can_be(name: str, type_: pa.DataType, told: str) -> None:
    """Misspelt, of another type, badly named, or of a type that a result has no place for."""
    with pytest.raises(EchoPulseError) as raised:
        declared_kind(name, type_)
    assert told in str(raised.value)
