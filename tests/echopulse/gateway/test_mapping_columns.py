"""Values of many documents at once, against a look-up in each."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.mapping import Condition, Value
from echopulse.gateway.mapping_columns import as_texts, found_at, holding, reader
from echopulse.gateway.mapping_paths import Keys, look_up

_LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 1) | st.text("ab", max_size=2)
_DOCUMENTS = st.lists(
    st.recursive(
        _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner), max_leaves=8
    ),
    max_size=6,
)
_PATHS = st.lists(st.sampled_from(["a", "b", 0, -1, 2]), min_size=1, max_size=3).map(tuple)


@given(_DOCUMENTS, _PATHS)
def test_a_path_finds_what_a_look_up_finds(documents: list[Any], path: Keys) -> None:
    """Whatever stands where an object or a list is expected."""
    assert repr(found_at(documents, path)) == repr([look_up(document, path) for document in documents])


@given(_DOCUMENTS, _PATHS, st.none() | st.just("d"))
def test_values_are_read_as_one_by_one(documents: list[Any], path: Keys, default: str | None) -> None:
    """Path, template and paths, with a default and without."""
    found = [look_up(document, path) for document in documents]
    texts = as_texts(found)
    assert repr(reader(Value(path=path, default=default))(documents)) == repr(
        [default if one is None else one for one in found]
    )
    filled = [default if one is None else f"<{one}>" for one in texts]
    assert reader(Value(template=("<", path, ">"), default=default))(documents) == filled
    joined = [default if one is None else f"{one}/{one}" for one in texts]
    assert reader(Value(paths=[path, path], default=default))(documents) == joined
    assert reader(Value(constant="c"))(documents) == ["c"] * len(documents)


@given(_DOCUMENTS, _PATHS)
def test_conditions_hold_as_one_by_one(documents: list[Any], path: Keys) -> None:
    """All four tests."""
    found = [look_up(document, path) for document in documents]
    assert holding(Condition(path=path, exists=True))(documents) == [one is not None for one in found]
    assert holding(Condition(path=path, exists=False))(documents) == [one is None for one in found]
    assert holding(Condition(path=path, equals="a"))(documents) == [one == "a" for one in found]
    assert holding(Condition.model_validate({"path": path, "in": ["a", None]}))(documents) == [
        one in ["a", None] for one in found
    ]
    assert holding(Condition(path=path, not_in=["a", 1]))(documents) == [one not in ["a", 1] for one in found]


def test_other_json_is_serialised() -> None:
    """Text stays text."""
    assert as_texts(["a", 1, True, None, [1], {"k": "v"}]) == ["a", "1", "true", None, "[1]", '{"k":"v"}']
