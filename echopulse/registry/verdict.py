"""What the gates said, signed: who asks later can tell that nobody has changed it."""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.settings import Settings


@dataclass(frozen=True)
class GateResult:
    """What one gate said. `numbers` are what it measured."""

    gate: str
    passed: bool
    told: str
    numbers: dict[str, float]


@dataclass(frozen=True)
class Verdict:
    """The results of all gates on a model, beside the champion of then ('' for none); times in ms."""

    task: str
    digest: str
    champion: str
    gates_file: str
    results: tuple[GateResult, ...]
    approver: str
    judged_ms: int

    @property
    def passed(self) -> bool:
        """Whether every gate passed the model."""
        return all(result.passed for result in self.results)

    @property
    def failed(self) -> list[GateResult]:
        """The gates that did not."""
        return [result for result in self.results if not result.passed]


def signed(verdict: Verdict, key: Ed25519PrivateKey) -> str:
    """Return a verdict as JSON with its Ed25519 signature (RFC 8032) and the public key that proves it."""
    document = asdict(verdict)
    signature = base64.b64encode(key.sign(_canonical(document))).decode()
    return json.dumps({"verdict": document, "key": public_name(key), "signature": signature}, sort_keys=True)


def verified(text: str, key: Ed25519PrivateKey) -> Verdict:
    """Return a signed verdict; raises EchoPulseError where it is not whole, or not signed by this key."""
    try:
        document: dict[str, Any] = json.loads(text)
        told = document["verdict"]
        signature = base64.b64decode(document["signature"], validate=True)
        key.public_key().verify(signature, _canonical(told))
        return Verdict(**told | {"results": tuple(GateResult(**result) for result in told["results"])})
    except InvalidSignature as error:
        raise EchoPulseError("the verdict is not signed by this registry's key", "registry.signing_key") from error
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise EchoPulseError(f"the verdict is not whole: {error}") from error


def public_name(key: Ed25519PrivateKey) -> str:
    """Return the public key, 32 bytes in base64."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """Read the key of the settings; without one, that of the home, made at its first use and readable by its owner.

    Raises EchoPulseError where it cannot be read or is another sort of key.
    """
    named = settings.registry.signing_key
    path = Path(named).expanduser() if named else settings.home / "registry" / "signing.pem"
    if not named and not path.is_file():
        _make(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise EchoPulseError(f"{path}: no key can be read: {error}", "registry.signing_key: Ed25519 in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EchoPulseError(f"{path} is another sort of key", "registry.signing_key: Ed25519 in PEM")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # another process was faster: its key is the home's
    finally:
        partial.unlink()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
