"""Write a result where a person wants it, a file or `s3://bucket/key`: whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.job.lake import location
from features.lake.location import SCHEME, open_lake
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.settings_sections import Lake


def check_output(output: str) -> None:
    """Raise UsageError where an output can name no file."""
    bucket, _, key = output.removeprefix(SCHEME).partition("/")
    if output.startswith(SCHEME) and (not bucket or not key or key.endswith("/")):
        raise UsageError(f"--output '{output}' names no object", "for example s3://bucket/dataset.parquet")
    if not output.startswith(SCHEME) and Path(output).is_dir():
        raise UsageError(f"--output '{output}' is a folder", "name a file in it")


def write_outputs(lake: Lake, outputs: Mapping[str, bytes]) -> None:
    """Write each output; S3 is that of the lake's settings, whatever the bucket.

    Raises EchoPulseError where a folder cannot be written to, keys are refused or a bucket is missing.
    """
    for output, content in outputs.items():
        if output.startswith(SCHEME):
            opened = open_lake(replace(location(lake), path=output))
            with opened.told(opened.root), opened.files.open_output_stream(opened.root) as stream:
                stream.write(content)
            continue
        path = Path(output)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            raise EchoPulseError(
                f"{path}: cannot be written: {error.strerror}", "--output names another place"
            ) from error
