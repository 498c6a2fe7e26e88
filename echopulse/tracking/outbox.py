"""Runs that MLflow could not be told of yet, in a folder of the home, sent with the next one that reaches it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from echopulse.tracking.delivery import deliver
from echopulse.tracking.record import read_record, write_record
from echopulse.tracking.server import MlflowRefusedError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.tracking.record import RunRecord
    from echopulse.tracking.server import MlflowServer

#: Runs that wait at most: each may hold a model.
MOST_WAITING = 200
_REFUSED = "refused"


class Outbox:
    """A folder of runs that wait; a run that MLflow refuses is put aside in `refused`."""

    def __init__(self, folder: Path) -> None:
        """Make nothing yet."""
        self.folder = folder

    def waiting(self) -> list[Path]:
        """Return the folders of those that wait, the oldest first."""
        if not self.folder.is_dir():
            return []
        whole = [path for path in self.folder.iterdir() if path.is_dir() and path.name[0].isdigit()]
        return sorted(whole, key=lambda path: path.name)

    def keep(self, record: RunRecord) -> Path:
        """Write a run down; raises EchoPulseError where too many wait already."""
        if len(self.waiting()) >= MOST_WAITING:
            raise EchoPulseError(f"{MOST_WAITING} runs wait in {self.folder}", "start MLflow, or remove some of them")
        target = self.folder / f"{record.began_ms}-{record.id}"
        partial = self.folder / f".{record.id}"
        shutil.rmtree(partial, ignore_errors=True)
        write_record(record, partial)
        partial.rename(target)
        return target

    def send(self, server: MlflowServer, experiment: str) -> tuple[int, list[str]]:
        """Send all that wait; return how many arrived, and why others were refused. Raises MlflowAwayError."""
        sent, refused = 0, []
        for folder in self.waiting():
            try:
                deliver(server, experiment, read_record(folder))
            except MlflowRefusedError as error:
                refused.append(f"{folder.name}: {error}")
                (self.folder / _REFUSED).mkdir(exist_ok=True)
                folder.rename(self.folder / _REFUSED / folder.name)
                continue
            shutil.rmtree(folder)
            sent += 1
        return sent, refused
