"""What the server answers from, read from a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.feature_query.sources import read_catalogue
from echopulse.settings import Settings
from echopulse.settings_sections import OnlineStore
from features.machinery.store import apply

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CONFIG = """
project: echopulse
provider: local
registry: registry.db
online_store: {type: redis, connection_string: "127.0.0.1:1"}
offline_store: {type: duckdb}
entity_key_serialization_version: 3
"""


def test_views_are_those_declared_and_services_those_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their features in the views' own order."""
    settings = Settings(home=tmp_path / "home", online_store=OnlineStore(connection="127.0.0.1:1"))
    # Reading sets these for Feast; noted here, they are put back afterwards.
    for name in ("KAFKA__BOOTSTRAP", "ONLINE_STORE__CONNECTION", "LAKE__PATH", "LAKE__ENDPOINT"):
        monkeypatch.setenv(f"ECHOPULSE_{name}", "127.0.0.1:1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "none")
    repo = tmp_path / "features"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(CONFIG, encoding="utf-8")
    (repo / "served.py").write_text("from features.services import *\n", encoding="utf-8")
    apply(repo, settings.home)
    catalogue = read_catalogue(settings, repo)
    assert set(catalogue.services) == {"channel_live", "user_live"}
    assert sorted(view for view, _ in catalogue.services["user_live"]) == ["user_1h", "user_1m", "user_5m"]
    for view, features in catalogue.services["user_live"]:
        assert features == [column.name for column in catalogue.views[view].features]
