"""What an encrypted value looks like in the store; reading that much takes no key and no cryptography."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

#: 0xFF is in no UTF-8 text.
MARK = b"\xffEP\x01"
BYTES_TAG = b"\x0a"
SALT, NUMBER, TAG = 16, 8, 16
_CONTINUED = 0x80


def encrypted_content(cell: bytes) -> bytes | None:
    """Return what an encrypted cell holds, from the mark on; None where it is not encrypted."""
    if cell[:1] != BYTES_TAG or MARK not in cell[1 : len(MARK) + 11]:
        return None
    begin = 1
    while cell[begin] >= _CONTINUED:
        begin += 1
    content = cell[begin + 1 :]
    shortest = len(MARK) + 2 + SALT + NUMBER + TAG
    return content if content.startswith(MARK) and len(content) >= shortest else None


def key_id(content: bytes) -> str:
    """Return the id of the key that a value was encrypted under."""
    return content[len(MARK) + 1 : len(MARK) + 1 + content[len(MARK)]].decode("ascii", "replace")


def unknown_key(name: str, known: Mapping[str, bytes]) -> EchoPulseError:
    """Return the error for a value under a key that is not among those known."""
    hint = did_you_mean(name, known) if known else "set online_store.keys"
    return EchoPulseError(f"online store: a value is encrypted under the key '{name}', which is not known here", hint)
