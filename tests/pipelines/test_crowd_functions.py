"""The crowd's functions, called as PyFlink's worker calls them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.crowd_functions import DescribeConversations, DescribePanes, DescribeScopes, MergeScopes, crowd_functions
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


def test_functions_have_the_names_of_the_statements() -> None:
    """Each is called by one."""
    assert set(crowd_functions(PANE_MS)) == {"crowd_pane", "crowd_merge", "crowd_scope", "crowd_conversations"}
