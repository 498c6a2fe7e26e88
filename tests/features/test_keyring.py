"""Keys from a file or the environment; no error shows one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from features.machinery.keyring import read_keys
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = bytes(range(32)), bytes(32)
A, B = base64.b64encode(FIRST).decode(), base64.b64encode(SECOND).decode()


def test_keys_are_read_from_a_file_the_first_line_first(tmp_path: Path) -> None:
    """Comments and empty lines are skipped."""
    (tmp_path / "keys").write_text(f"# written with\n\nb={B}\n a = {A}\n", encoding="utf-8")
    keys = read_keys(f"file:{tmp_path / 'keys'}")
    assert list(keys.items()) == [("b", SECOND), ("a", FIRST)]


def test_keys_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one line, with commas."""
    monkeypatch.setenv("STORE_KEYS", f"2026-11={A},2026-05={B}")
    assert list(read_keys("env:STORE_KEYS")) == ["2026-11", "2026-05"]
    assert not read_keys("")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "env:STORE_KEYS: the variable is not set"),
        ("", "env:STORE_KEYS: no keys"),
        (A, "env:STORE_KEYS: line 1 is no ID=KEY"),
        (f"a={A},b c={A}", "env:STORE_KEYS: line 2 is no ID=KEY"),
        (f"a={A},a={B}", "env:STORE_KEYS: key 'a' is there twice"),
        (f"a={A[:-4]}", "env:STORE_KEYS: key 'a' has 30 bytes, not 32"),
        (f"a={A[:-1]}", "env:STORE_KEYS: key 'a' is no base64"),
    ],
)
def test_what_is_wrong_with_keys_is_told_without_them(
    monkeypatch: pytest.MonkeyPatch, content: str | None, message: str
) -> None:
    """The source, the line and the id."""
    monkeypatch.delenv("STORE_KEYS", raising=False)
    if content is not None:
        monkeypatch.setenv("STORE_KEYS", content)
    with pytest.raises(EchoPulseError) as error:
        read_keys("env:STORE_KEYS")
    assert str(error.value).startswith(message)
    assert A[:8] not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what the system says."""
    with pytest.raises(EchoPulseError, match=rf"file:{tmp_path}/none: No such file or directory"):
        read_keys(f"file:{tmp_path}/none")


def test_another_source_is_refused_without_what_follows() -> None:
    """Which may be a key."""
    with pytest.raises(EchoPulseError) as error:
        read_keys(f"a:{A}")
    assert str(error.value) == "online_store.keys 'a:...' is neither file:PATH nor env:VARIABLE"
