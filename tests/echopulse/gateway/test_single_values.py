"""Values one by one: what each becomes, and the stage at which one is a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.single_values import UnreadableTextError, each, flat_object, payload_of, text_of

if TYPE_CHECKING:
    from echopulse.gateway.rows import Faults


def test_each_by_itself() -> None:
    """A fault that its row has already stays; a missing value is none."""
    faults: Faults = {4: ("parse", "cut short")}
    values = ["a", 7, None, 1.5, [], "\ud800"]
    assert each(values, lambda value: text_of(value, "user"), faults) == ["a", "7", None, None, None, None]
    assert faults == {
        3: ("validate", "user is a number, not text"),
        4: ("parse", "cut short"),
        5: ("parse", "user is not UTF-8 text: surrogates not allowed at character 0"),
    }


def test_payloads() -> None:
    """Bytes stay, text is UTF-8, the rest is JSON."""
    assert [payload_of(value) for value in (b"\xff", "ü", {"a": [1]}, 2)] == [b"\xff", "ü".encode(), b'{"a":[1]}', b"2"]
    with pytest.raises(UnreadableTextError):
        payload_of("\udfff")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": []}, "meta.a is a list, not text"),
        ([1], "meta holds a number where a pair of key and value belongs"),
        ("a", "meta is text, neither an object nor a list of pairs"),
        ({True: "a"}, "a key of meta is a truth value, not text"),
    ],
)
def test_metadata_that_does_not_fit(value: object, reason: str) -> None:
    """The key or the kind is named."""
    with pytest.raises(ValueError, match=reason):
        flat_object(value)
