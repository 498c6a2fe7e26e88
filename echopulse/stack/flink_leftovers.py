"""What jobs and processes that are over left in the embedded cluster's folder, and what of it is still needed."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_JOB = re.compile(r"[0-9a-f]{32}")


def clear_leftovers(data: Path) -> None:
    """Delete Flink's temporary files in its data folder, and the checkpoints of all jobs but the newest.

    A cluster that is stopped leaves the last checkpoint of its job, and of a process its copies of jars and its working
    folder. To be called where no process of the cluster is alive. Of the jobs, the one with the newest complete
    checkpoint keeps its own, so that its state can still be taken up; savepoints are never touched. Raises
    EchoPulseError naming what cannot be deleted.
    """
    for path in (*_children(data / "tmp"), *superseded(data / "checkpoints")):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise EchoPulseError(
                f"flink: cannot delete what an earlier start left: {error}", f"remove {path}"
            ) from error


def superseded(checkpoints: Path) -> list[Path]:
    """Return the folders of jobs in a folder of checkpoints, without that of the newest complete checkpoint."""
    jobs = [path for path in _children(checkpoints) if _JOB.fullmatch(path.name) and not path.is_symlink()]
    newest = max(map(_completed_ns, jobs), default=0)
    return [job for job in jobs if not newest or _completed_ns(job) != newest]


def _completed_ns(job: Path) -> int:
    """Return when a job's newest complete checkpoint was written, ns since 1970; 0 where it has none."""
    # A checkpoint is complete once its metadata is there.
    return max((path.stat().st_mtime_ns for path in job.glob("chk-*/_metadata")), default=0)


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
