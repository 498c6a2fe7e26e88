"""Small lakes in a folder, and a file system that ends its process in the middle of a rewriting."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from features.lake.listing import listing
from features.lake.location import Lake, LakeLocation, open_lake

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = "date=2026-01-31/hour=07"
EVENTS = "events"


def folder_lake(folder: Path) -> Lake:
    """Open a lake in a folder."""
    return open_lake(LakeLocation(str(folder)))


def write(lake: Lake, name: str, columns: dict[str, Any], partition: str = HOUR, table: str = EVENTS) -> None:
    """Write a file as a sink leaves it, an hour old."""
    folder = Path(lake.root) / table / partition
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / name)
    os.utime(folder / name, (0, 0))


def names(lake: Lake, table: str = EVENTS) -> set[str]:
    """Name every file of a table that is on the disk, hidden ones too, but for the version."""
    return {path.name for path in (Path(lake.root) / table).rglob("*") if path.is_file() and path.name != "_version"}


def live(lake: Lake, table: str = EVENTS) -> list[str]:
    """Name the files that readers read."""
    return [footer.file.name for footer in listing(lake, table).live]


class Mortal(pafs.FileSystemHandler):  # type: ignore[misc] # pyarrow has no types
    """The local file system; before or after change number `fatal` of the lake is made, the process is killed."""

    def __init__(self, fatal: int, *, after: bool) -> None:
        self.local = pafs.LocalFileSystem()
        self.fatal, self.after, self.changes = fatal, after, 0

    def _change(self, make: Callable[[], Any]) -> Any:  # noqa: ANN401 whatever the file system returns
        self.changes += 1
        if self.changes == self.fatal and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        made = make()
        if self.changes == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    def get_type_name(self) -> str:
        """Name the kind."""
        return "mortal"

    def get_file_info(self, paths: list[str]) -> Any:  # noqa: ANN401 as pyarrow calls it
        """Describe paths."""
        return self.local.get_file_info(paths)

    def get_file_info_selector(self, selector: pafs.FileSelector) -> Any:  # noqa: ANN401 as above
        """Describe a folder."""
        return self.local.get_file_info(selector)

    def open_input_stream(self, path: str) -> Any:  # noqa: ANN401 as above
        """Open for reading."""
        return self.local.open_input_stream(path)

    def open_input_file(self, path: str) -> Any:  # noqa: ANN401 as above
        """Open for reading at any place."""
        return self.local.open_input_file(path)

    def open_output_stream(self, path: str, metadata: Any) -> Any:  # noqa: ANN401 as above
        """Open for writing; a death after it leaves an empty file, one at the next change a whole one."""
        return self._change(lambda: self.local.open_output_stream(path, metadata=metadata))

    def move(self, source: str, target: str) -> None:
        """Rename."""
        self._change(lambda: self.local.move(source, target))

    def delete_file(self, path: str) -> None:
        """Delete."""
        self._change(lambda: self.local.delete_file(path))

    def normalize_path(self, path: str) -> str:
        """Return the path."""
        return path

    def create_dir(self, path: str, recursive: bool) -> None:  # noqa: FBT001 as pyarrow calls it
        """Make a folder, which is no change to what is read."""
        self.local.create_dir(path, recursive=recursive)

    def delete_dir(self, path: str) -> None:
        """Refuse what no rewriting does."""
        raise NotImplementedError

    delete_dir_contents = delete_root_dir_contents = copy_file = open_append_stream = delete_dir


def deaths(script: str, cases: list[tuple[str, int, bool]]) -> list[int]:
    """Run a test file's `die` for each case in a process of its own; return how each ended, as waitpid says."""
    done = subprocess.run(
        [sys.executable, script],
        input=json.dumps(cases),
        env=with_tests(),
        check=True,
        timeout=100,
        capture_output=True,
        text=True,
    )
    statuses: list[int] = json.loads(done.stdout)
    return statuses


def with_tests() -> dict[str, str]:
    """Return this process's environment for a child that imports the tests."""
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}


def die_each(run: Callable[[Lake], object]) -> None:
    """Be the process that `deaths` starts: it imports once and forks for each case, before it has any threads."""
    statuses = []
    for folder, fatal, after in json.load(sys.stdin):
        child = os.fork()
        if not child:
            run(mortal_lake(Path(folder), fatal, after=after)[0])
            os._exit(0)
        statuses.append(os.waitpid(child, 0)[1])
    json.dump(statuses, sys.stdout)


def mortal_lake(folder: Path, fatal: int, *, after: bool) -> tuple[Lake, Mortal]:
    """Open a lake in a folder whose file system is mortal."""
    handler = Mortal(fatal, after=after)
    return Lake(LakeLocation(str(folder)), pafs.PyFileSystem(handler), str(folder.absolute())), handler
