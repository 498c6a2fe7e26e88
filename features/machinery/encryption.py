"""AES-256-GCM of single values, each bound to the place where it lies.

An encrypted value is a feast.types.Value of bytes: mark, length of the key's id, id, salt (16), number (8), then the
Value that was there, encrypted, and GCM's tag (16). The associated data are the hash's field and its key, which stand
for view, feature, entity and project: a value that is moved to another place does not decrypt.

A writer draws a salt and derives from it a key of its own (HKDF, RFC 5869), under which it numbers its values. So no
nonce is used twice, however many writers there are; random nonces would allow 2^32 values a key (NIST SP 800-38D,
8.3), which are hours of a busy stream.
"""

from __future__ import annotations

import itertools
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from features.machinery.encrypted_value import BYTES_TAG, MARK, NUMBER, SALT, encrypted_content, key_id, unknown_key
from features.machinery.keyring import KEY_BYTES
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SALTS_KEPT = 1_024
_LOW_BITS, _CONTINUED = 0x7F, 0x80


class Encryption:
    """Encrypts under the first of the keys and decrypts under any. For one process: each draws a salt of its own."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys
        self._derived = lru_cache(maxsize=_SALTS_KEPT)(self._derive)
        self._numbers = itertools.count()
        self._salt = os.urandom(SALT)
        self._active = next(iter(keys))

    def encrypted(self, field: bytes, places: Sequence[bytes], values: Sequence[bytes]) -> list[bytes]:
        """Return a column of values encrypted; `places` are the keys of their hashes."""
        name = self._active.encode()
        head, cipher = MARK + bytes([len(name)]) + name + self._salt, self._derived(self._active, self._salt)
        sealed = []
        # AES-GCM has no batch form: a value is a call, 1.5 us with OpenSSL 3, and the slowest part of a write.
        for place, value in zip(places, values, strict=True):
            number = next(self._numbers).to_bytes(NUMBER, "big")
            content = head + number + cipher.encrypt(_nonce(number), value, _bound_to(field, place))
            sealed.append(BYTES_TAG + _varint(len(content)) + content)
        return sealed

    def decrypted(self, field: bytes, place: bytes, cell: bytes) -> bytes:
        """Return the value that a cell holds; one that was never encrypted as it is.

        Raises EchoPulseError that names the key's id where the key is not known or the value is not what was written.
        """
        content = encrypted_content(cell)
        if content is None:
            return cell
        name, rest = key_id(content), content[len(MARK) + 1 + content[len(MARK)] :]
        if name not in self._keys:
            raise unknown_key(name, self._keys)
        salt, number, sealed = rest[:SALT], rest[SALT : SALT + NUMBER], rest[SALT + NUMBER :]
        try:
            return self._derived(name, salt).decrypt(_nonce(number), sealed, _bound_to(field, place))
        except InvalidTag as error:
            raise EchoPulseError(
                f"online store: a value does not decrypt under the key '{name}'",
                "it was changed or moved, or this is another key of the same id",
            ) from error

    def _derive(self, name: str, salt: bytes) -> AESGCM:
        return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, b"echopulse online store").derive(self._keys[name]))


def _nonce(number: bytes) -> bytes:
    return b"\0\0\0\0" + number


def _bound_to(field: bytes, place: bytes) -> bytes:
    return bytes([len(field)]) + field + place


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number >= _CONTINUED:
        digits.append(number & _LOW_BITS | _CONTINUED)
        number >>= 7
    return bytes([*digits, number])
