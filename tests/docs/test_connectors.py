"""The connector of docs/connectors.md works, and the configuration of docs/ingest.md is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from echopulse.gateway.connector_discovery import discover
from echopulse.gateway.gateway_config import load_config
from echopulse.gateway.source import Limits, StreamEndedError
from tests.docs.test_commands import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_connector_is_found_and_resumes(tmp_path: Path) -> None:
    """It yields what stands behind the place that it is given."""
    (tmp_path / "lines.py").write_text(blocks(ROOT / "docs" / "connectors.md", "python")[0])
    log = tmp_path / "chat.log"
    log.write_text("1 lobby ann hello\n2 lobby bob hi there\n")
    lines = discover([tmp_path])["lines"]
    arrivals = lines(lines.options(path=log), Limits()).arrivals("1")  # type: ignore[call-arg] # its own option
    arrival = await anext(arrivals)
    assert arrival.fields is not None
    assert (arrival.resume, arrival.fields.user, arrival.fields.meta["text"]) == ("2", "bob", "hi there")
    with pytest.raises(StreamEndedError):
        await anext(arrivals)


def test_the_configuration_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a whole, with its secret in the environment."""
    monkeypatch.setenv("REDACT_KEY", "key")
    (text,) = [
        text for text in blocks(ROOT / "docs" / "ingest.md", "yaml") if "sources" in (yaml.safe_load(text) or {})
    ]
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    _, sources = load_config(path)
    assert set(sources) == {"jetstream", "wiki"}
    assert sources["wiki"].spooled
