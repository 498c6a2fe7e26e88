"""Where the traceback of an unexpected error goes: a file, so that stderr keeps to one line."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path


def keep_traceback(error: BaseException) -> Path:
    """Write the traceback (no values of variables) to a new file under the logs folder and return its path.

    The settings may be what failed, so the folder is taken from ECHOPULSE_HOME or the default; where it cannot be
    written, the system's temporary folder serves. Raises OSError where that cannot be written either.
    """
    now = datetime.now(UTC)
    lines = [f"{now.isoformat()} {' '.join(sys.argv[:2])} on Python {sys.version.split()[0]}\n"]
    lines += traceback.format_exception(error)
    name = f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    logs = Path(os.environ.get("ECHOPULSE_HOME", ".echopulse")).expanduser() / "logs"
    try:
        logs.mkdir(parents=True, exist_ok=True)
        file = logs / name
        file.write_text("".join(lines), encoding="utf-8")
    except OSError:
        file = Path(tempfile.gettempdir()) / f"echopulse-{name}"
        file.write_text("".join(lines), encoding="utf-8")
    return file
