"""The lock without addresses."""

from __future__ import annotations

from pathlib import Path

from infra.neutral_lock import neutralise

LOCK = Path(__file__).parents[2] / "uv.lock"


def test_addresses_go_and_digests_stay() -> None:
    """Index and files lose host and folders; names, digests and sizes stay."""
    lock = (
        'source = { registry = "https://mirror.example/repo/simple" }\n'
        '{ url = "https://mirror.example/repo/ab/cd/x-1.0-py3-none-any.whl", hash = "sha256:ab", size = 1 },\n'
        'source = { editable = "." }\n'
    )
    assert neutralise(lock) == (
        'source = { registry = "https://index.invalid/simple" }\n'
        '{ url = "https://files.invalid/x-1.0-py3-none-any.whl", hash = "sha256:ab", size = 1 },\n'
        'source = { editable = "." }\n'
    )


def test_the_shipped_lock_is_neutral() -> None:
    """Nothing is left to neutralise, and every package comes from the neutral index."""
    lock = LOCK.read_text(encoding="utf-8")
    assert neutralise(lock) == lock
    assert lock.count("https://") == lock.count("https://index.invalid/simple") + lock.count("https://files.invalid/")
