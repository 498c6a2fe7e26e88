"""What MLflow's versions say: models and steps, there and back; what others wrote is told or passed over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.registry.timeline import Step
from echopulse.registry.versions import described, entry_of, step_of, step_tags
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

STEP = Step(3, 2, "sha256:ab", 1_000, "promotion", "ann", 5_000, "signed")


def version(tags: dict[str, str], **more: object) -> dict[str, Any]:
    """A version as MLflow's REST interface gives it; tags that say nothing are not kept."""
    listed = [{"key": key, "value": value} for key, value in tags.items() if value]
    return {"name": "hate.timeline", "version": "3", "source": "s3://runs/model", "tags": listed} | more


@given(
    st.integers(0, 2**53),
    st.text("0123456789abcdef", min_size=4),
    st.integers(0, 2**53),
    st.sampled_from(["promotion", "rollback"]),
    st.text(),
    st.text(),
)
def test_a_step_is_read_as_it_was_written(after: int, digest: str, at: int, kind: Any, by: str, verdict: str) -> None:  # noqa: ANN401 one of two words
    """The number and the time are MLflow's."""
    step = Step(3, after, f"sha256:{digest}", at, kind, by, 5_000, verdict)
    assert step_of(version(step_tags(step), creation_timestamp=5_000)) == step


@pytest.mark.parametrize("missing", ["after", "digest", "valid_from_ms", "kind"])
def test_a_version_that_is_no_step_is_named(missing: str) -> None:
    """Somebody wrote it by hand: the timeline would mean something else without it."""
    tags = {key: value for key, value in step_tags(STEP).items() if key != missing}
    with pytest.raises(EchoPulseError, match=rf"hate\.timeline: version 3 is no step of a timeline: '{missing}'"):
        step_of(version(tags))


def test_a_number_that_is_none_is_no_step() -> None:
    """A time that cannot be read is not the beginning of time."""
    with pytest.raises(EchoPulseError, match="version 3 is no step of a timeline: invalid literal"):
        step_of(version(step_tags(STEP) | {"valid_from_ms": "soon"}))


def test_a_model_is_read_as_it_was_described(tmp_path: Path) -> None:
    """Its bytes are those of the files of its folder."""
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").write_bytes(b"678")
    tags = described("bag", "mine", tmp_path, "sha256:ab")
    assert tags == {"digest": "sha256:ab", "kind": "bag", "artifact": "mine", "bytes": "8"}
    entry = entry_of("hate", version(tags, run_id="r1", creation_timestamp=5_000))
    assert entry is not None
    assert (entry.task, entry.digest, entry.name, entry.kind) == ("hate", "sha256:ab", "mine", "bag")
    assert (entry.version, entry.source, entry.run, entry.created_ms) == ("3", "s3://runs/model", "r1", 5_000)
    assert entry.tags == tags
    assert replace(entry, tags={}) != entry


def test_a_version_without_a_digest_is_none_of_ours() -> None:
    """Others may keep models under the same name."""
    assert entry_of("hate", version({"artifact": "theirs"})) is None
