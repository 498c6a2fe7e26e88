"""The configuration is whole, or refused with one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.gateway_config import load_config
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_GOOD = """sources:
  feed:
    connector: sse
    options: {url: https://example.org/feed, mapping: wikimedia, headers: {Authorization: env:FEED_TOKEN}}
    channels: {allow: ["en*"]}
    kinds: [message]
    rate: {per_second: 10}
    redact: {users: env:FEED_KEY, email: true}
"""


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_TOKEN", "hidden-token")
    monkeypatch.setenv("FEED_KEY", "hidden-key")


def test_a_good_one(tmp_path: Path) -> None:
    """Secrets are read, and not shown."""
    path = tmp_path / "gateway.yaml"
    path.write_text(_GOOD)
    _, sources = load_config(path)
    feed = sources["feed"]
    assert feed.options.headers["Authorization"].get_secret_value() == "hidden-token"
    assert not feed.spooled
    assert "hidden" not in repr(sources)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("connector: sse", "connector: sss", ": sources.feed: no connector 'sss' (did you mean 'sse'?)"),
        ("[message]", "[mesage]", ": sources.feed: sse gives no 'mesage' (did you mean 'message'?)"),
        ("env:FEED_TOKEN", "hidden", ": sources.feed.options.headers: a secret is named by env:NAME or file:PATH"),
        ("env:FEED_KEY", "hidden", ": sources.feed.redact: users: a secret is named by env:NAME or file:PATH"),
        ("env:FEED_KEY", "env:NONE", "the environment has no variable NONE"),
        ("mapping: wikimedia", "mapping: wikimdia", "no mapping 'wikimdia': neither a file nor a packaged one"),
        ("url:", "urll:", ": sources.feed.options: unknown key urll; 1 more (did you mean 'url'?)"),
        ("per_second: 10", "per_second: 0", "sources.feed.rate.per_second"),
        ("https:", "ftp:", "'ftp://example.org/feed' is not an address of a stream"),
        ("channels:", "chanels:", ": unknown key sources.feed.chanels"),
    ],
)
def test_a_bad_one_is_refused_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    """With the place, what is wrong and the near miss; never with a secret."""
    path = tmp_path / "gateway.yaml"
    path.write_text(_GOOD.replace(old, new))
    with pytest.raises(EchoPulseError) as raised:
        load_config(path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hidden" not in str(raised.value)
