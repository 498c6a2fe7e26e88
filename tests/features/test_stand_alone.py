"""The compiler and the store without the rest: copied elsewhere, importing nothing else of the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CHILD = """
import sys
from pathlib import Path

place, address = sys.argv[1:]


class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"echopulse", "pipelines", "transforms"} or name.startswith("features.lake"):
            raise ImportError(f"{name} is not taken along")


sys.meta_path.insert(0, Refusing())
sys.path.insert(0, place)

import pyarrow as pa
import features.machinery
import schemas

assert Path(features.machinery.__file__).is_relative_to(place)
assert Path(schemas.__file__).is_relative_to(place)

from features.machinery.compiler import compile_view
from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.online_writer import OnlineWriter
from features.machinery.oracle import windows
from features.machinery.reader import read_latest
from features.machinery.view_spec import AggregationSpec, Column, ViewSpec
import pandas as pd

spec = ViewSpec(
    "page_5m", (Column("page", "string"),), (Column("visits", "int64"), Column("slowest", "float64")),
    (AggregationSpec("visits", "count", "event_id", 300_000, 60_000),
     AggregationSpec("slowest", "max", "seconds", 300_000, 60_000)), ttl_s=0,
)
inputs = pa.schema([("event_id", pa.string()), ("page", pa.string()), ("seconds", pa.float64())])
view = compile_view(spec, source="clicks", inputs=inputs)
assert "FROM `clicks`" in view.panes[0].sql and "stage" not in view.panes[0].sql, view.panes[0].sql

clicks = pd.DataFrame({"ts": [0, 30_000], "event_id": ["a", "b"], "page": ["/", "/"], "seconds": [0.5, 2.0]})
rows = windows(spec, clicks)
store = OnlineStoreSettings(connection=address, project="shop")
writer = OnlineWriter(store)
batch = pa.RecordBatch.from_pandas(rows, preserve_index=False)
times = batch.column("event_timestamp").cast(pa.timestamp("ms", "UTC"))
batch = pa.RecordBatch.from_arrays([*(batch.column(n) for n in view.columns[:-1]), times], names=list(view.columns))
writer.write(view.schema, batch)
writer.close()
with connect(store) as client:
    [found] = read_latest(client, "shop", view.schema, [("/",)]).to_pylist()
assert (found["visits"], found["slowest"]) == (0, None), found

import features.machinery.online_store, features.machinery.store
"""


def test_it_runs_where_nothing_else_is(tmp_path: Path, valkey: str, request: pytest.FixtureRequest) -> None:
    """Compiles a view over another's table, computes it by pandas, writes and reads its values; Feast's parts load."""
    root = request.config.rootpath
    shutil.copytree(root / "features" / "machinery", tmp_path / "features" / "machinery")
    shutil.copy(root / "features" / "__init__.py", tmp_path / "features")
    (tmp_path / "schemas").mkdir()
    for name in ("__init__.py", "errors.py", "arrow.py"):
        shutil.copy(root / "schemas" / name, tmp_path / "schemas")
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD, str(tmp_path), valkey],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
