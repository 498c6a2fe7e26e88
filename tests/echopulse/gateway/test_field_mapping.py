"""Which column holds which field."""

from __future__ import annotations

import pytest

from echopulse.gateway.field_mapping import columns_for, parse_mapping
from schemas.errors import EchoPulseError, UsageError


def test_a_mapping_is_read() -> None:
    """Blanks around names are of no account, nothing maps nothing."""
    assert parse_mapping("id = message_id, ts=created_at,") == {"id": "message_id", "ts": "created_at"}
    assert parse_mapping("") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id", "--map 'id' is not FIELD=COLUMN (write it as --map id=message_id,ts=created_at)"),
        ("id=", "--map 'id=' is not FIELD=COLUMN (write it as --map id=message_id,ts=created_at)"),
        ("chanel=c", "--map 'chanel=c': an event has no field 'chanel' (did you mean 'channel'?)"),
        ("id=a,id=b", "--map 'id=b': id is mapped already, to 'a'"),
    ],
)
def test_a_wrong_mapping_is_a_wrong_call(text: str, message: str) -> None:
    """The entry and the near miss are named."""
    with pytest.raises(UsageError) as raised:
        parse_mapping(text)
    assert str(raised.value) == message


def test_columns_are_found_by_mapping_or_name() -> None:
    """Optional fields may be absent."""
    assert columns_for({"id": "n"}, ["n", "ts", "channel", "raw", "other"], "f.csv") == {
        "id": "n",
        "ts": "ts",
        "channel": "channel",
        "raw": "raw",
    }


@pytest.mark.parametrize(
    ("mapping", "present", "message"),
    [
        ({}, ["id", "ts", "chan", "raw"], "f.csv has no column 'channel' for channel (did you mean 'chan'?; --map"),
        (
            {"user": "usr"},
            ["id", "ts", "channel", "raw"],
            "f.csv has no column 'usr' for user (known: channel, id, raw",
        ),
        ({}, [], "f.csv has no column 'id' for id (it has no columns; --map id=COLUMN names another)"),
        ({}, ["id", "id"], "f.csv has 2 columns named 'id' (rename all but one)"),
    ],
)
def test_a_missing_column_is_named_with_the_near_miss(
    mapping: dict[str, str], present: list[str], message: str
) -> None:
    """So is one that is there twice."""
    with pytest.raises(EchoPulseError) as raised:
        columns_for(mapping, present, "f.csv")
    assert str(raised.value).startswith(message)
