"""Which code made a run: the commit, and whether files differed from it."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_GIT_S = 10


def code_version() -> dict[str, str]:
    """Return MLflow's tags of the code: version, and, where it runs from a repository, commit and changes.

    An installed package has no repository; then the version alone says what ran.
    """
    tags = {"mlflow.source.name": "echopulse", "mlflow.source.type": "PROJECT", "echopulse.version": _version()}
    commit = _git("rev-parse", "HEAD") if (_ROOT / ".git").exists() else None
    if commit is None:
        return tags
    changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
    return tags | {"mlflow.source.git.commit": commit, "echopulse.changed": str(changed).lower()}


def _version() -> str:
    return importlib.metadata.version("echopulse")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), *arguments],  # noqa: S607 - the git that the person has
            check=False,
            capture_output=True,
            text=True,
            timeout=_GIT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
