"""The crowd's functions, called as PyFlink's worker calls them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import stamina

import pipelines
from pipelines.crowd_functions import DescribeConversations, DescribePanes, DescribeScopes, MergeScopes, crowd_functions
from tests.processes import ended
from tests.transforms.crowd import PANE_MS, digested
from transforms.digest import write_digests


def _array(*values: bytes) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """A list of bytes as the worker hands it over."""
    own = np.empty(len(values), object)
    own[:] = values
    return own


def test_panes_go_through_all_functions() -> None:
    """From digests to what the sinks take; what there is nothing to say of is null."""
    digest = write_digests(digested([{"text": "hello there"}]), np.zeros(1, np.int64), PANE_MS)[0].as_py()
    describe, merge = DescribePanes(PANE_MS), MergeScopes(PANE_MS)
    scopes, conversations = DescribeScopes(PANE_MS), DescribeConversations(PANE_MS)
    for function in (describe, merge, scopes, conversations):
        function.open(None)
    pane = pa.array(describe.eval(pd.Series([_array(digest)])).array).to_pylist()[0]
    assert pane["messages"] == 1
    merged = pa.array(merge.eval(pd.Series([_array(pane["terms"], pane["terms"])])).array).to_pylist()[0]
    told = pa.array(scopes.eval(pd.Series(["c"]), pd.Series([_array(merged)])).array).to_pylist()
    assert told == [{"trends": None, "health": None}]
    end = pd.Series([pd.Timestamp(datetime(2026, 1, 1, tzinfo=UTC))])
    said = conversations.eval(pd.Series(["c"]), end, pd.Series([_array(pane["sample"])]), pd.Series([1]))
    assert pa.array(said.array).to_pylist() == [None]
    for function in (describe, merge, scopes, conversations):
        function.close()


WORKER = """
import os, signal
import numpy as np
import pandas as pd
from pipelines.crowd_functions import DescribeConversations

if __name__ == "__main__":
    function = DescribeConversations(10_000)
    function.open(None)
    nobody = pd.Series([], dtype=object)
    function.eval(nobody, pd.Series([], dtype="datetime64[ms, UTC]"), nobody, pd.Series([], dtype="int64"))
    [process] = function._pool._processes
    print(process, os.getpriority(os.PRIO_PROCESS, process) - os.getpriority(os.PRIO_PROCESS, 0), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_process_of_conversations_gives_way_and_ends_with_a_killed_worker(tmp_path: Path) -> None:
    """Nothing of a worker that Flink killed goes on computing."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    environ = os.environ | {"PYTHONPATH": str(Path(pipelines.__file__).parents[1])}
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False, env=environ
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    process, lower = map(int, ran.stdout.split())
    assert lower == min(10, 19 - os.getpriority(os.PRIO_PROCESS, 0))
    for attempt in stamina.retry_context(on=AssertionError, attempts=None, timeout=30, wait_initial=0.1, wait_max=0.5):
        with attempt:
            assert ended(process)


def test_functions_have_the_names_of_the_statements() -> None:
    """Each is called by one."""
    assert set(crowd_functions(PANE_MS)) == {"crowd_pane", "crowd_merge", "crowd_scope", "crowd_conversations"}
