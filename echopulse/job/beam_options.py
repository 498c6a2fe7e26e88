"""Beam's own options, as `--beam-option name=value` gives them, checked before anything is started."""

from __future__ import annotations

import contextlib
import io
import logging
from typing import TYPE_CHECKING, Any

from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apache_beam.options.pipeline_options import PipelineOptions

    from features.lake.location import LakeLocation

DEFAULT_RUNNER = "DirectRunner"
#: Runners that ask a job service for options of their own; of the others all are known.
_PORTABLE = ("portable", "flink", "spark")
_DATAFLOW = "dataflow"


def pipeline_options(given: Sequence[str]) -> PipelineOptions:
    """Return what `given` says, run by DirectRunner where it names no runner.

    Raises UsageError for an option that Beam does not know or cannot read, EchoPulseError for a runner that is not
    there.
    """
    beam_imported()
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    options = _read(PipelineOptions, [f"--{option.removeprefix('--')}" for option in given])
    standard = options.view_as(StandardOptions)
    standard.runner = standard.runner or DEFAULT_RUNNER
    _check_runner(standard.runner, StandardOptions.KNOWN_RUNNER_NAMES)
    if not standard.runner.lower().startswith(_PORTABLE):
        known = options.get_all_options()
        for option in given:
            name = option.removeprefix("--").partition("=")[0]
            if name not in known and name.removeprefix("no_") not in known:
                raise UsageError(f"--beam-option {option}: Beam has no option '{name}'", did_you_mean(name, known))
    return options


def check_reach(options: PipelineOptions, places: Sequence[LakeLocation]) -> None:
    """Raise EchoPulseError where a runner's workers cannot reach a lake."""
    from apache_beam.options.pipeline_options import StandardOptions

    runner = options.view_as(StandardOptions).runner
    for place in places:
        if runner.lower().startswith(_DATAFLOW) and not place.on_s3:
            raise EchoPulseError(
                f"{runner} runs elsewhere and cannot reach the folder {place.path}",
                "lake.path, --source and --output take s3://…",
            )


def beam_imported() -> None:
    """Import Beam without its warning of cloud storage that is not installed and not used."""
    logger = logging.getLogger("apache_beam.io.filesystems")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import apache_beam.io.filesystems  # noqa: F401 for what importing it says
    finally:
        logger.setLevel(level)


def _read(reader: Any, flags: list[str]) -> PipelineOptions:  # noqa: ANN401 a class of Beam's, imported where it is used
    """Have Beam's parser read flags; it ends the process where one is wrong."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            options: PipelineOptions = reader(flags)
            options.get_all_options()
    except SystemExit as error:
        reason = said.getvalue().strip().splitlines()[-1].partition("error: ")[2]
        raise UsageError(f"--beam-option: {reason}") from error
    return options


def _check_runner(name: str, known: Sequence[str]) -> None:
    from apache_beam.runners.runner import create_runner

    try:
        create_runner(name)
    except ValueError as error:
        raise EchoPulseError(f"Beam has no runner '{name}'", did_you_mean(name, known)) from error
    except (ImportError, AttributeError) as error:
        raise EchoPulseError(
            f"Beam's {name} cannot be loaded: {error}", "its packages must be installed here"
        ) from error
