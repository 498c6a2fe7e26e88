"""Keys of 32 bits, against their definition in plain Python."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.keys import narrow_keys, string_keys

_BITS = 2**64


def fnv(value: bytes) -> int:
    """FNV-1a, 64 bits, by its definition."""
    key = 0xCBF29CE484222325
    for byte in value:
        key = (key ^ byte) * 0x100000001B3 % _BITS
    return key


def narrowed(number: int) -> int:
    """The low half of fmix64 as a signed number; 0 is kept for 0."""
    mixed = number % _BITS
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed = (mixed ^ (mixed >> 33)) * factor % _BITS
    key = (mixed ^ (mixed >> 33)) % 2**32
    key -= 2**32 if key >= 2**31 else 0
    return 1 if key == 0 and number else key


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_hashes_are_mixed_and_cut(hashes: list[int]) -> None:
    """Each key follows from its hash alone."""
    assert narrow_keys(pa.array(hashes, pa.int64())).to_pylist() == [narrowed(number) for number in hashes]


@given(st.lists(st.text(max_size=12)), st.integers(0, 3))
def test_strings_are_hashed_and_an_empty_one_is_missing(values: list[str], skipped: int) -> None:
    """A sliced column gives the keys of its own rows."""
    wanted = [narrowed(fnv(value.encode())) if value else None for value in values]
    assert string_keys(pa.array(values, pa.string()).slice(skipped)).to_pylist() == wanted[skipped:]


def test_many_names_rarely_share_a_key() -> None:
    """Of 50,000 names, some 0.3 pairs do by chance; more than five would be a poor mixer."""
    keys = string_keys(pa.array([f"user-{number}" for number in range(50_000)]))
    assert len(keys.unique()) >= 49_995
