"""An encrypted store: our own readers read it, plain Feast sees bytes, and keys are rotated while it is in use."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from feast.protos.feast.types.Value_pb2 import Value

from features.machinery.connection import OnlineStoreSettings
from features.machinery.encrypted_rows import encrypt_rows, encryption, split
from features.machinery.encrypted_value import MARK
from features.machinery.encryption import Encryption
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest
from features.machinery.redis_format import encode, entity_keys, field_name, timestamp_field
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    import redis

    from features.machinery.view_spec import ViewSchema

OLD, NEW = (f"{name}={base64.b64encode(bytes([number] * 32)).decode()}" for number, name in enumerate(("old", "new")))
START_MS = 1_760_000_000_000


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys before, while and after they are rotated."""
    for name, keys in (("BEFORE", [OLD]), ("WHILE", [NEW, OLD]), ("AFTER", [NEW])):
        monkeypatch.setenv(name, ",".join(keys))


def batch(step: int) -> pa.RecordBatch:
    """Two rows at this time step; the second has no values."""
    return pa.record_batch(
        {
            "channel_id": ["a", "b"],
            "n": pa.array([step, None], pa.int64()),
            "x": pa.array([0.5, None], pa.float64()),
            "word": pa.array(["secret" * 50, None], pa.string()),
            "event_timestamp": pa.array([(START_MS + step) * 1_000_000] * 2, pa.timestamp("ns", "UTC")),
        }
    )


def write(valkey: str, view: ViewSchema, step: int, keys: str) -> None:
    """Write the rows with the keys that this variable holds."""
    OnlineWriter(OnlineStoreSettings(valkey, keys=f"env:{keys}")).write(view, batch(step))


def read(client: redis.Redis, view: ViewSchema, keys: str) -> pa.RecordBatch:
    """Read both rows."""
    cipher = encryption(f"env:{keys}" if keys else "")
    return read_latest(client, "echopulse", view, [("a",), ("b",)], now_ms=START_MS, cipher=cipher)


def test_what_was_written_encrypted_is_read(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """All types, nulls too; nothing of it lies open, and every value has a Feast Value's form."""
    write(valkey, view, 1, "BEFORE")
    assert read(client, view, "BEFORE").equals(batch(1))
    for key in client.scan_iter():
        cells: dict[bytes, bytes] = client.hgetall(key)  # type: ignore[assignment] # typed for async clients too
        cells.pop(timestamp_field(view.name))
        assert len(cells) == 3
        assert all(Value.FromString(cell).bytes_val.startswith(MARK) for cell in cells.values())
        assert b"secret" not in b"".join(cells.values())


def test_keys_are_rotated_while_the_store_is_in_use(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """Readers learn the new key, then writers write with it, then the old one goes."""
    write(valkey, view, 1, "BEFORE")
    assert read(client, view, "WHILE").equals(batch(1))
    write(valkey, view, 2, "WHILE")
    assert read(client, view, "WHILE").equals(batch(2))
    assert read(client, view, "AFTER").equals(batch(2))


def test_open_values_stay_readable_when_keys_come(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """Encryption is switched on in a store that is in use."""
    OnlineWriter(OnlineStoreSettings(valkey)).write(view, batch(1))
    assert read(client, view, "BEFORE").equals(batch(1))


@pytest.mark.parametrize("keys", ["", "AFTER"])
def test_a_value_under_an_unknown_key_names_the_key(
    client: redis.Redis, valkey: str, view: ViewSchema, keys: str
) -> None:
    """With no keys at all, and with others."""
    write(valkey, view, 1, "BEFORE")
    with pytest.raises(EchoPulseError) as error:
        read(client, view, keys)
    hint = "known: new" if keys else "set online_store.keys"
    assert "a value is encrypted under the key 'old', which is not known here" in str(error.value)
    assert hint in str(error.value) or keys


def test_values_cannot_be_swapped(client: redis.Redis, valkey: str, view: ViewSchema) -> None:
    """Neither between the features of an entity nor between entities."""
    numbers = replace(view, features=view.features[:2])
    write(valkey, numbers, 1, "BEFORE")
    one, other = entity_keys(view, "echopulse", batch(1)).to_pylist()
    n: Any = field_name(view.name, "n")
    swapped: Any = client.hget(one, n)
    for place, field in ((one, field_name(view.name, "x")), (other, n)):
        kept: Any = client.hget(place, field)  # type: ignore[arg-type] # a field is bytes
        client.hset(place, mapping={field: swapped})
        with pytest.raises(EchoPulseError, match="does not decrypt under the key 'old'"):
            read(client, numbers, "BEFORE")
        client.hset(place, mapping={field: kept})


def test_rows_are_split_as_the_script_splits_them(view: ViewSchema) -> None:
    """Encrypted rows decrypt to the values of the open ones; keys and times are untouched."""
    rows, cipher = encode(view, "echopulse", batch(7)), Encryption({"k": bytes(32)})
    places, stamps, *columns = split(rows)
    sealed = encrypt_rows(rows, cipher)
    assert split(sealed)[:2] == [places, stamps]
    opened = [
        [cipher.decrypted(field, place, cell) for place, cell in zip(places, column, strict=True)]
        for field, column in zip(sealed.fields, split(sealed)[2:], strict=True)
    ]
    assert opened == columns
    assert (sealed.fields, sealed.ttl_s) == (rows.fields, rows.ttl_s)
