"""YAML into models: errors point at the key, however deep."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from echopulse.gateway.declaration import parse_declaration
from schemas.errors import EchoPulseError


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: str = ""


class _Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inner: dict[str, list[_Inner]] = {}
    size: int = 0


def test_a_document_becomes_a_model() -> None:
    """Keys and values arrive where they belong."""
    assert parse_declaration("size: 3", _Outer, "f.yaml") == _Outer(size=3)


def test_an_unknown_key_deep_inside_is_named_with_its_neighbours() -> None:
    """The near miss comes from the model that holds the key, through dicts and lists."""
    with pytest.raises(EchoPulseError) as refusal:
        parse_declaration("inner: {x: [{color: red}]}", _Outer, "f.yaml")

    assert str(refusal.value) == "f.yaml: unknown key inner.x[0].color (did you mean 'colour'?)"


def test_further_errors_are_counted() -> None:
    """One error is told, the others are counted."""
    with pytest.raises(EchoPulseError, match="1 more"):
        parse_declaration("{size: a, inner: b}", _Outer, "f.yaml")


def test_a_long_value_is_cut() -> None:
    """A line stays readable."""
    with pytest.raises(EchoPulseError) as refusal:
        parse_declaration(f"size: {'a' * 500}", _Outer, "f.yaml")

    assert len(str(refusal.value)) < 200
