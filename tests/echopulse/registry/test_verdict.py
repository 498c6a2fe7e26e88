"""Verdicts and who signs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from echopulse.registry.verdict import GateResult, Verdict, signed, signing_key, verified
from echopulse.settings import Settings
from echopulse.settings_sections import Registry
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = (GateResult("quality", True, "fine", {"value": 61.5}), GateResult("size", False, "too large", {"mib": 9.0}))  # noqa: FBT003
VERDICT = Verdict("sentiment", "sha256:" + "a" * 64, "", "sha256:" + "b" * 64, RESULTS, "ada", 1_700_000_000_000)


def test_what_was_signed_is_read_back() -> None:
    """And one gate that fails fails the whole."""
    key = Ed25519PrivateKey.generate()
    assert verified(signed(VERDICT, key), key) == VERDICT
    assert not VERDICT.passed
    assert [result.gate for result in VERDICT.failed] == ["size"]


def test_a_changed_verdict_and_a_stranger_are_found() -> None:
    """One flipped word, another key, half a document."""
    key = Ed25519PrivateKey.generate()
    document = json.loads(signed(VERDICT, key))
    document["verdict"]["results"][1]["passed"] = True
    for text, asked in ((json.dumps(document), key), (signed(VERDICT, key), Ed25519PrivateKey.generate())):
        with pytest.raises(EchoPulseError, match="is not signed by this registry's key"):
            verified(text, asked)
    with pytest.raises(EchoPulseError, match="is not whole"):
        verified("{", key)


def test_the_home_makes_its_key_once(tmp_path: Path) -> None:
    """It is for its owner alone, and stays the same."""
    settings = Settings(home=tmp_path)
    first = signing_key(settings).public_key()
    assert signing_key(settings).public_key() == first
    assert (tmp_path / "registry" / "signing.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"no key", None])
def test_another_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """What is no Ed25519 key is told."""
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(content or other)
    settings = Settings(home=tmp_path, registry=Registry(signing_key=str(tmp_path / "key.pem")))
    with pytest.raises(EchoPulseError, match=r"Ed25519 in PEM"):
        signing_key(settings)
