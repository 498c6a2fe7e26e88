"""The part `nats` is whole, or refused with one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.bus_choice import read_bridge
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_GOOD = """bus: nats
nats:
  servers: [nats://a:4222, tls://b:4222]
  token: env:NATS_TOKEN
sources: {anything: {secret: env:NOT_HERE}}
"""


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_TOKEN", "hidden-token")


def test_a_good_one(tmp_path: Path) -> None:
    """The secret is read and not shown; the sources are not the bridge's to judge."""
    path = tmp_path / "gateway.yaml"
    path.write_text(_GOOD)
    config = read_bridge(path)
    assert config.token is not None
    assert config.token.get_secret_value() == "hidden-token"
    assert config.address == "nats://a:4222, tls://b:4222"
    assert "hidden" not in repr(config)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("bus: nats", "bus: kafka", ": bus is kafka, so there is nothing to carry to Kafka (set bus: nats)"),
        (_GOOD, "bus: nats\nnats: {token: hidden}\n", ": nats: token: a secret is named by env:NAME or file:PATH"),
        ("env:NATS_TOKEN", "hidden", ": nats: token: a secret is named by env:NAME or file:PATH"),
        ("env:NATS_TOKEN", "env:NOT_HERE", ": nats: token: the environment has no variable NOT_HERE"),
        ("tls://b:4222", "http://b:4222", ": nats.servers[1]: String should match pattern"),
        ("tls://b:4222", "nats://me:word@b:4222", ": nats.servers[1]: String should match pattern"),
        ("  token:", "  tokn:", ": unknown key nats.tokn (did you mean 'token'?)"),
        ("  token:", "  user: me\n  token:", ": nats: user and password belong together"),
        (
            "  token:",
            "  credentials: a.creds\n  token:",
            ": nats: one of token, user and credentials",
        ),
        ("  token:", "  tls: {cert: a.pem}\n  token:", ": nats.tls: cert and key belong together"),
        ("  token:", "  replicas: 6\n  token:", ": nats.replicas: Input should be less than or equal to 5"),
        ("  token:", "  stream: a.b\n  token:", ": nats.stream: String should match pattern"),
    ],
)
def test_a_bad_one_is_refused_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    """With the place and what is wrong; never with a secret."""
    path = tmp_path / "gateway.yaml"
    path.write_text(_GOOD.replace(old, new))
    with pytest.raises(EchoPulseError) as raised:
        read_bridge(path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hidden" not in str(raised.value)
