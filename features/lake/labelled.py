"""A user's rows in the labelled files that models are trained on: those that name who wrote each text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.lake.erasure import USER, person_left_out
from schemas.errors import EchoPulseError
from transforms.artifact import file_digest

if TYPE_CHECKING:
    from pathlib import Path

    from features.lake.erasure import Person


def files_with(folder: Path, person: Person) -> dict[str, Path]:
    """Return the Parquet files of a folder that hold rows of a user, by their digests.

    Raises EchoPulseError where the folder is none or a file cannot be read.
    """
    if not folder.is_dir():
        raise EchoPulseError(f"{folder}: no such folder", "--data names a folder of labelled Parquet files")
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.parquet")):
        try:
            if USER not in pq.read_schema(path).names:
                continue
            users = pq.read_table(path, columns=[USER], use_threads=False).column(USER)
        except (OSError, pa.ArrowInvalid) as error:
            raise EchoPulseError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
        if pc.any(pc.equal(users, person.user)).as_py():
            found[file_digest(path)] = path
    return found


def rewrite(path: Path, person: Person) -> int:
    """Rewrite a file without a user's rows, in one step; return how many they were. Other rows keep their order."""
    try:
        table = pq.read_table(path, use_threads=False)
        keep = person_left_out(person)
        kept = [keep(batch) for batch in table.to_batches()]
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            pq.write_table(pa.Table.from_batches(kept, table.schema), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise EchoPulseError(f"{path} cannot be rewritten: {str(error).splitlines()[0]}") from error
    return int(table.num_rows - sum(len(batch) for batch in kept))
