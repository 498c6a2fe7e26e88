"""What a job needs to know."""

from __future__ import annotations

import pytest

from features.machinery.connection import OnlineStoreSettings
from pipelines.config import LakeSettings, SignalsConfig


@pytest.mark.parametrize("path", ["s3://bucket/lake", "s3://bucket/lake/"])
def test_a_table_is_a_folder_of_the_lake(path: str) -> None:
    """One slash between them, however the setting ends."""
    assert LakeSettings(path).table("features/channel_1m") == "s3://bucket/lake/features/channel_1m"


@pytest.mark.parametrize(("shadow", "has"), [({}, False), ({"toxicity": []}, False), ({"toxicity": ["mine"]}, True)])
def test_shadow_is_what_is_named(shadow: dict[str, list[str]], *, has: bool) -> None:
    """A kind without a strategy in shadow is none; the selection has everything the analysis needs."""
    lake, store = LakeSettings("lake"), OnlineStoreSettings()
    config = SignalsConfig("k:1", lake, store, {"toxicity": "bag"}, strategy_options={"toxicity": {}}, shadow=shadow)
    assert config.has_shadow is has
    selection = config.selection
    assert (selection.strategies, selection.shadow) == ({"toxicity": "bag"}, shadow)
    assert (selection.paths, selection.options) == ((), {"toxicity": {}})
