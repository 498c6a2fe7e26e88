"""The stack's part of the settings."""

from __future__ import annotations

from pathlib import Path

from echopulse.settings import Settings
from echopulse.settings_sections import S3_GRPC_PORTS
from echopulse.stack.settings import GRPC_PORTS, StackSettings, stack_settings


def test_defaults_agree_with_the_settings() -> None:
    """A stack without settings is the one of the default settings: no number stands twice with two values."""
    assert stack_settings(Settings()) == StackSettings()
    assert len(GRPC_PORTS) == S3_GRPC_PORTS


def test_every_part_is_taken_over(tmp_path: Path) -> None:
    """Ports, folders, keys and sizes come from the settings; the bucket from the lake's path."""
    document = {
        "home": tmp_path / "h",
        "cache": tmp_path / "c",
        "lake": {"path": "s3://other/lake", "access_key": "me", "secret_key": "hush", "region": "eu-1"},
        "flink": {"parallelism": 3},
        "stack": {"kafka_port": 1, "s3_filer_port": 2, "start_timeout_s": 7},
    }
    settings = stack_settings(Settings.model_validate(document))
    assert (settings.home, settings.cache) == (tmp_path / "h", tmp_path / "c")
    assert (settings.bucket, settings.access_key, settings.secret_key, settings.region) == (
        "other",
        "me",
        "hush",
        "eu-1",
    )
    assert (settings.parallelism, settings.kafka_port, settings.s3_filer_port) == (3, 1, 2)
    assert settings.start_timeout_s == 7
    assert "hush" not in repr(settings)


def test_a_lake_in_a_folder_leaves_the_bucket_alone(tmp_path: Path) -> None:
    """A path that is no S3 address names no bucket."""
    assert stack_settings(Settings.model_validate({"lake": {"path": str(tmp_path)}})).bucket == "echopulse"


def test_folders_are_absolute() -> None:
    """Children run in another folder: a relative home is taken from here."""
    settings = StackSettings(home=Path("here"), cache=Path("~/there"))
    assert settings.home == Path.cwd() / "here"
    assert settings.cache == Path.home() / "there"
    assert settings.data("kafka") == settings.home / "data" / "kafka"
