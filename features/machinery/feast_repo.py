"""Load the declarations of a Feast repository folder the way Feast does, and check what keeps them from loading.

Feast finds declarations by importing the folder's files from inside it, so that loading changes the process's current
folder for as long as it takes: call it in a process of its own, not beside other threads.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG_FILE = "feature_store.yaml"


def ignore_alpha_warning() -> None:
    """Silence Feast's note that its own stream processing is in alpha: the compiler here stands in for it."""
    warnings.filterwarnings("ignore", message="Stream feature views are experimental", category=RuntimeWarning)


def check_repo(repo: Path) -> None:
    """Raise EchoPulseError where a folder is no Feast repository."""
    if not (repo / CONFIG_FILE).is_file():
        raise EchoPulseError(
            f"{repo}: no {CONFIG_FILE} in it", "run in the project's folder, or name the Feast repository with --repo"
        )


def declarations(repo: Path) -> Any:  # noqa: ANN401 a feast.repo_contents.RepoContents, which is untyped
    """Import a repository and return what it declares. Raises EchoPulseError naming what could not be imported."""
    check_repo(repo)
    from feast.repo_operations import parse_repo  # noqa: PLC0415 importing Feast costs seconds

    ignore_alpha_warning()
    with _inside(repo) as folder:
        try:
            return parse_repo(folder)
        except EchoPulseError:
            raise
        except Exception as error:  # the files are the user's own code, which may raise anything
            raise EchoPulseError(f"{repo}: cannot load the declarations: {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def _inside(repo: Path) -> Iterator[Path]:
    """Make a folder the current one and the first to import from."""
    folder = repo.resolve()
    sys.path.insert(0, str(folder))
    try:
        with contextlib.chdir(folder):
            yield folder
    finally:
        sys.path.remove(str(folder))
