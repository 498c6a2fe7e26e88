"""Flink's rows of the compiled views, and those that Arrow computes for Beam: the same, for every function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pandas.testing import assert_frame_equal

from features.machinery.arrow_views import arrow_families
from tests.features.every_function import table
from tests.system.test_compiler_flink import analysed, flink, rows_of, views

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from tests.system.test_compiler_flink import Flink, Views

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

#: pytest finds fixtures by their names in the module.
FIXTURES = (analysed, flink, views)
_BATCH_ROWS = 300


def test_arrows_rows_are_flinks(flink: Flink, views: Views, analysed: pd.DataFrame, tmp_path: Path) -> None:
    """From batches of events, panes merged in pairs: no row missing or too many, values equal to the last bit."""
    analysed.loc[::97, "user_id"] = 'u\x0b"\\u001f\x1f'
    batched = rows_of(flink("batch"), views, analysed, tmp_path / "batch")
    events = table(analysed)
    compared = 0
    for family in arrow_families([spec for spec, _ in views]):
        panes = family.panes(events.slice(0, 0))
        for start in range(0, events.num_rows, _BATCH_ROWS):
            panes = family.merged([family.panes(events.slice(start, _BATCH_ROWS)), panes])
        for view in family.views:
            wanted = batched[view.view.name]
            found = family.feature_rows(view, panes, 0, 2**53).to_pandas()[list(wanted)].astype(wanted.dtypes.to_dict())
            found = found.sort_values([*family.keys, "event_timestamp"], ignore_index=True)
            # The least bits of what a bin stands for depend on who computes the exponential.
            binned = [spec.name for spec in view.view.aggregations if spec.function == "approx_percentile"]
            assert_frame_equal(found[binned], wanted[binned], rtol=1e-14, atol=0, obj=view.view.name)
            assert_frame_equal(found.drop(columns=binned), wanted.drop(columns=binned), check_exact=True)
            compared += len(wanted)
    assert compared > 10_000
