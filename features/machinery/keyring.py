"""The keys that values in the online store are encrypted under, by id. The first is written with, all are read with."""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_HINT = "a line is ID=KEY, the key 32 random bytes in base64; the first line is the key that is written with"


def read_keys(source: str) -> Mapping[str, bytes]:
    """Return the keys by id, the one to write with first. `source` is `file:PATH` or `env:VARIABLE`, '' for none.

    Keys are lines, or parts between commas, of ID=KEY; empty lines and those that begin with # are skipped. Raises
    EchoPulseError that names the source, the line and the id, never a key.
    """
    if not source:
        return {}
    keys: dict[str, bytes] = {}
    for number, line in enumerate(re.split(r"[\n,]", _content(source)), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, _, encoded = (part.strip() for part in text.partition("="))
        if not encoded or not _ID.fullmatch(name):
            raise EchoPulseError(f"{source}: line {number} is no ID=KEY", _HINT)
        if name in keys:
            raise EchoPulseError(f"{source}: key '{name}' is there twice", _HINT)
        keys[name] = _decoded(source, name, encoded)
    if not keys:
        raise EchoPulseError(f"{source}: no keys", _HINT)
    return keys


def _content(source: str) -> str:
    kind, _, name = source.partition(":")
    if kind == "env":
        content = os.environ.get(name)
        if content is None:
            raise EchoPulseError(
                f"{source}: the variable is not set", "every process that reads or writes the store needs it"
            )
        return content
    if kind != "file":
        raise EchoPulseError(f"online_store.keys '{kind}:...' is neither file:PATH nor env:VARIABLE")
    try:
        return Path(name).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise EchoPulseError(f"{source}: {reason}", "online_store.keys in the settings names it") from error


def _decoded(source: str, name: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise EchoPulseError(f"{source}: key '{name}' is no base64", _HINT) from error
    if len(key) != KEY_BYTES:
        raise EchoPulseError(f"{source}: key '{name}' has {len(key)} bytes, not {KEY_BYTES}", _HINT)
    return key
