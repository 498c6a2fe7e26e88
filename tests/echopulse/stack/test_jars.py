"""The locked list of jars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.stack.jars import FLINK_JOB, FLINK_S3, JAVA_COMPILER, KAFKA, group_named, read_lock
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_group_is_locked_whole() -> None:
    """Every root is in its group's list, with a digest and a size; no two jars share a file name."""
    groups = read_lock()
    assert set(groups) == {KAFKA, FLINK_JOB, FLINK_S3, JAVA_COMPILER}
    for group in groups.values():
        assert set(group.roots) <= {jar.coordinate for jar in group.jars}
        assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in group.jars)
    names = {jar.filename: jar.sha256 for group in groups.values() for jar in group.jars}
    digests = {jar.sha256 for group in groups.values() for jar in group.jars}
    assert len(names) == len(digests)


def test_kafka_parts_are_of_one_version() -> None:
    """Broker and clients match: a resolver that mixes them would start a broker that fails at run time."""
    versions = {
        jar.coordinate.split(":")[2] for jar in group_named(KAFKA).jars if "org.apache.kafka:" in jar.coordinate
    }
    assert versions == {"4.2.0"}


def test_file_name_is_mavens() -> None:
    """A jar's file is ARTIFACT-VERSION.jar."""
    assert [jar.filename for jar in group_named(FLINK_S3).jars] == ["flink-s3-fs-hadoop-2.3.0.jar"]


def test_an_unknown_group_names_the_near_one() -> None:
    """A mistyped group is answered with its neighbour."""
    with pytest.raises(EchoPulseError, match="did you mean 'kafka'"):
        group_named("kafak")


@pytest.mark.parametrize("text", ["[kafka", "[kafka]\nroots = []\n", "[kafka]\nroots = 1\ntransitive = true\n"])
def test_a_damaged_list_is_one_clear_line(tmp_path: Path, text: str) -> None:
    """A file that is not TOML, or lacks a part, is named."""
    (tmp_path / "jars.toml").write_text(text)
    with pytest.raises(EchoPulseError, match="is unreadable"):
        read_lock(tmp_path / "jars.toml")
