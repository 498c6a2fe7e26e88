"""What the card of an artifact says that was made of somebody else's checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transforms.artifact import Manifest

_READS = {
    "normalised": "as the shipped models do (lower case, evasions undone, moods told, `http` and `@user`)",
    "tweet": "as they were written, `http` for a URL and `@user` for a mention",
    "written": "as they were written",
}

LIMITS = """## Limits
- What it was trained on, what it is worth elsewhere and whom it wrongs is for the checkpoint's own card to say.
- Figures above, where there are any, are of the validation rows given; without them its probabilities are the
  checkpoint's own, and nothing says that they mean what they say.
- At most the first {pieces} word pieces of a text are read.
- Use it to rank and to count, and let a person decide about a person.
"""


def what(manifest: Manifest) -> str:
    """Return what it is made of, and how it reads."""
    training = manifest.training
    revision = f", revision `{training['revision']}`" if "revision" in training else ""
    licence = f" Its licence: {training['licence']}." if "licence" in training else ""
    bits = "32" if training["floats"] else "8"
    return f"""A transformer of somebody else's: `{training["checkpoint"]}`{revision}, {training["architecture"]},
computed in {bits} bits.{licence} It reads texts {_READS[manifest.reading.style]}.
Its probabilities are {training["off"]:.4f} off the checkpoint's on average, before calibration."""


def made(manifest: Manifest) -> str:
    """Return which labels of the checkpoint became which of ours, and what was made of which files."""
    training = manifest.training
    rows = "\n".join(
        f"| {task} | {ours} | {', '.join(theirs) or 'what is left'} |"
        for task, labels in training["labels"].items()
        for ours, theirs in labels.items()
    )
    files = "\n".join(f"- `{name}` ({digest[:19]}…)" for name, digest in training["origin"].items())
    command = f"echopulse train {' '.join(training['tasks'])} --checkpoint {training['checkpoint']}"
    command += f"@{training['revision']}" if "revision" in training else ""
    return f"""## Labels of the checkpoint
| task | label | of the checkpoint |
|---|---|---|
{rows}

## Made of
{files}

By `{command} --output DIR`; labels and reading as above."""


def limits(manifest: Manifest) -> str:
    """Return what it is not for."""
    return LIMITS.format(pieces=manifest.reading.pieces)
