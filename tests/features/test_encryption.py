"""Values encrypted one by one: what is read is what was written, where it was written, under a key that is known."""

from __future__ import annotations

import pytest
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from features.machinery.encrypted_value import MARK, encrypted_content, key_id
from features.machinery.encryption import Encryption
from schemas.errors import EchoPulseError

OLD, NEW = {"old": bytes(range(32))}, {"new": bytes(range(1, 33))}
FIELD, PLACE = b"abcd", b"entity"


def encrypted(value: bytes, keys: dict[str, bytes] | None = None) -> bytes:
    """One value, encrypted at the place."""
    [cell] = Encryption(keys or OLD).encrypted(FIELD, [PLACE], [value])
    return cell


@given(st.lists(st.binary(max_size=400), max_size=5), st.binary(min_size=4, max_size=4))
def test_what_was_encrypted_is_decrypted(values: list[bytes], field: bytes) -> None:
    """Any bytes, by another process too, and a Value of bytes to any Feast."""
    places = [b"place %d" % number for number in range(len(values))]
    cells = Encryption(OLD).encrypted(field, places, values)
    reader = Encryption(OLD)
    assert [reader.decrypted(field, *pair) for pair in zip(places, cells, strict=True)] == values
    for cell in cells:
        content = Value.FromString(cell).bytes_val
        assert content == encrypted_content(cell)
        assert content.startswith(MARK)
        assert key_id(content) == "old"


@given(st.binary(max_size=40) | st.builds(lambda value: Value(bytes_val=value).SerializeToString(), st.binary()))
def test_what_was_never_encrypted_is_read_as_it_is(value: bytes) -> None:
    """Written before there were keys, or by plain Feast."""
    assert Encryption(OLD).decrypted(FIELD, PLACE, value) == value


def test_no_value_looks_like_another() -> None:
    """Equal values differ, and so do writers of one key."""
    one, other = Encryption(OLD), Encryption(OLD)
    cells = [cell for writer in (one, other) for cell in writer.encrypted(FIELD, [PLACE] * 500, [b"same"] * 500)]
    assert len(set(cells)) == 1_000
    assert not any(b"same" in cell for cell in cells)


def test_keys_are_rotated() -> None:
    """The first key is written with; values under the others are still read."""
    cell = encrypted(b"value", OLD)
    rotated = Encryption(NEW | OLD)
    assert rotated.decrypted(FIELD, PLACE, cell) == b"value"
    [fresh] = rotated.encrypted(FIELD, [PLACE], [b"value"])
    assert Encryption(NEW).decrypted(FIELD, PLACE, fresh) == b"value"


def test_a_key_that_is_not_known_is_named() -> None:
    """By its id."""
    with pytest.raises(EchoPulseError) as error:
        Encryption(NEW).decrypted(FIELD, PLACE, encrypted(b"value", OLD))
    assert str(error.value).startswith(
        "online store: a value is encrypted under the key 'old', which is not known here"
    )


@pytest.mark.parametrize(("field", "place"), [(b"abce", PLACE), (FIELD, b"entitz"), (b"abcde", b"ntity")])
def test_a_value_that_was_moved_does_not_decrypt(field: bytes, place: bytes) -> None:
    """To another feature, another entity, or where the two read together the same."""
    with pytest.raises(EchoPulseError, match="online store: a value does not decrypt under the key 'old'"):
        Encryption(OLD).decrypted(field, place, encrypted(b"value"))


@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_value_that_was_changed_does_not_decrypt(place: int, change: int) -> None:
    """In whatever byte behind the mark and the key's id."""
    cell = bytearray(encrypted(b"value"))
    first = cell.index(b"old") + 3
    cell[first + place % (len(cell) - first)] ^= change
    with pytest.raises(EchoPulseError, match="does not decrypt under the key 'old'"):
        Encryption(OLD).decrypted(FIELD, PLACE, bytes(cell))
