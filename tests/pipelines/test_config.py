"""What a job needs to know."""

from __future__ import annotations

import pytest

from pipelines.config import LakeSettings


@pytest.mark.parametrize("path", ["s3://bucket/lake", "s3://bucket/lake/"])
def test_a_table_is_a_folder_of_the_lake(path: str) -> None:
    """One slash between them, however the setting ends."""
    assert LakeSettings(path).table("features/channel_1m") == "s3://bucket/lake/features/channel_1m"
