"""Arrow columns out of JSON values and CSV cells."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.columns import columns_of, json_metadata, metadata_of, payloads_of, texts_of
from echopulse.gateway.rows import FIELDS, READ, Faults

_text = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.one_of(st.none(), st.dictionaries(_text, _text, max_size=4)), max_size=12))
def test_metadata_equals_the_dicts_it_came_from(metadata: list[dict[str, str] | None]) -> None:
    """Maps built from flat keys and values are the dicts, missing ones empty."""
    faults: Faults = {}
    built = metadata_of(metadata, faults)
    assert built.type == READ.field("meta").type
    assert [dict(one) for one in built.to_pylist()] == [one or {} for one in metadata]
    assert not faults


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1, "b": 1.5, "c": True, "d": None}, {"a": "1", "b": "1.5", "c": "true"}),
        ([["k", "v"]], {"k": "v"}),
        ([("k", "v")], {"k": "v"}),
        ([{"key": "k", "value": "v"}], {"k": "v"}),
        ([], {}),
    ],
)
def test_other_forms_of_metadata_are_read(value: object, expected: dict[str, str]) -> None:
    """Numbers become text, pairs become entries, null values are left out."""
    assert dict(metadata_of([value], {})[0].as_py()) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("text", "meta is text, neither an object nor a list of pairs"),
        (3, "meta is a number, neither an object nor a list of pairs"),
        ({"a": {}}, "meta.a is an object, not text"),
        ([1], "meta holds a number where a pair of key and value belongs"),
        ([[None, "v"]], "a key of meta is null, not text"),
    ],
)
def test_metadata_that_does_not_fit_spoils_its_own_row(value: object, reason: str) -> None:
    """The neighbours keep theirs."""
    faults: Faults = {}
    built = metadata_of([{"k": "v"}, value, None], faults)
    assert [dict(one) for one in built.to_pylist()] == [{"k": "v"}, {}, {}]
    assert faults == {1: ("validate", reason)}


def test_text_takes_whole_numbers_and_refuses_the_rest() -> None:
    """Ids are often numbers; half a surrogate pair is no text."""
    faults: Faults = {}
    values: list[Any] = ["a", 7, None, 1.5, True, [], {}, "x\ud800y"]
    assert texts_of(values, "id", faults).to_pylist() == ["a", "7", None, None, None, None, None, None]
    assert faults == {
        3: ("validate", "id is a number, not text"),
        4: ("validate", "id is a truth value, not text"),
        5: ("validate", "id is a list, not text"),
        6: ("validate", "id is an object, not text"),
        7: ("parse", "id is not UTF-8 text: surrogates not allowed at character 1"),
    }


def test_a_payload_is_kept_as_it_is_or_serialised() -> None:
    """Text is its bytes, JSON values are written as JSON."""
    values = ['{"text": "é"}', {"text": "é"}, [1], None, b"\xff", "not JSON"]
    assert payloads_of(values, {}).to_pylist() == [
        '{"text": "é"}'.encode(),
        '{"text":"é"}'.encode(),
        b"[1]",
        None,
        b"\xff",
        b"not JSON",
    ]


def test_columns_come_in_the_schema_of_a_read_batch() -> None:
    """Seven sequences make a batch."""
    batch = columns_of([["1"], [5], [None], ["c"], [None], ["{}"], [None]], {})
    assert batch.schema == READ
    assert batch.schema.names == list(FIELDS)
    assert batch.to_pylist() == [
        {"id": "1", "ts": 5, "source": None, "channel": "c", "user": None, "raw": b"{}", "meta": []}
    ]


def test_metadata_in_a_cell_is_json() -> None:
    """What is not JSON is a fault."""
    faults: Faults = {}
    assert json_metadata(0, '{"a":"b"}', faults) == {"a": "b"}
    assert json_metadata(1, None, faults) is None
    assert json_metadata(2, "a=b", faults) is None
    assert faults[2][1].startswith("meta is not JSON: ")
    assert pa.types.is_map(metadata_of([None], {}).type)
