"""Beam's options as the command takes them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from apache_beam.options.pipeline_options import StandardOptions

from echopulse.job.beam_options import beam_imported, check_reach, pipeline_options
from features.lake.location import LakeLocation
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_options_are_beams_own() -> None:
    """With a value, as a switch, or with the dashes that Beam's own documentation writes."""
    options = pipeline_options(["direct_num_workers=2", "streaming", "--job_name=past"]).get_all_options()
    assert (options["runner"], options["direct_num_workers"]) == ("DirectRunner", 2)
    assert (options["streaming"], options["job_name"]) == (True, "past")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            ["direct_num_worker=2"],
            (
                "--beam-option direct_num_worker=2: Beam has no option 'direct_num_worker' "
                "(did you mean 'direct_num_workers'?)"
            ),
        ),
        (["direct_num_workers=two"], "--beam-option: argument --direct_num_workers: invalid int value: 'two'"),
        (["runner=SparkRuner"], "Beam has no runner 'SparkRuner' (did you mean 'SparkRunner'?)"),
        (
            ["runner=no.such.Runner"],
            "Beam's no.such.Runner cannot be loaded: No module named 'no' (its packages must be installed here)",
        ),
    ],
)
def test_what_beam_does_not_know_is_told(given: Sequence[str], line: str) -> None:
    """In one line, with the near miss."""
    with pytest.raises(EchoPulseError) as told:
        pipeline_options(given)
    assert str(told.value) == line
    assert isinstance(told.value, UsageError) == line.startswith("--beam-option")


def test_a_runner_that_asks_a_service_for_its_options_gets_all() -> None:
    """Of Spark and Flink, Beam's Python knows the fewest."""
    assert pipeline_options(["runner=SparkRunner", "spark_job_parts=3"]).get_all_options()["runner"] == "SparkRunner"


def test_dataflow_reads_no_folders() -> None:
    """Its workers are elsewhere; a prefix of S3 they can reach, and so can this process's own."""
    options = pipeline_options([])
    folder, prefix = LakeLocation("data/lake"), LakeLocation("s3://bucket/lake")
    check_reach(options, [folder, prefix])
    options.view_as(StandardOptions).runner = "DataflowRunner"
    check_reach(options, [prefix])
    with pytest.raises(EchoPulseError) as told:
        check_reach(options, [prefix, folder])
    assert str(told.value) == (
        "DataflowRunner runs elsewhere and cannot reach the folder data/lake (lake.path, --source and --output take s3://…)"
    )


def test_importing_beam_leaves_its_loggers_as_they_were() -> None:
    """Only the warning of what is not installed is held back."""
    before = logging.getLogger("apache_beam.io.filesystems").level
    beam_imported()
    assert logging.getLogger("apache_beam.io.filesystems").level == before
