"""Evidently's reports on two samples: data, prediction, text; each as HTML, with what it found of every column."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from echopulse.drift.sample import LABELS, NUMBERS, TEXTS
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping

REPORTS = ("data", "prediction", "text")
#: How well a classifier tells the two samples' texts apart (ROC AUC). For few texts Evidently would by itself take a
#: percentile of hundreds of such classifiers, which takes twenty times as long.
_TEXTS_BY = "abs_text_content_drift"


@dataclass(frozen=True)
class ColumnDrift:
    """How far a column is from the reference, by which distance, and from where on that is drift."""

    report: str
    column: str
    method: str
    distance: float
    threshold: float
    drifted: bool


@dataclass(frozen=True)
class Report:
    """One report: its page, its columns, and, where it could not be made, why."""

    name: str
    html: str
    columns: list[ColumnDrift]
    failure: str = ""


def check_installed() -> None:
    """Raise EchoPulseError where Evidently is missing: it is in the extra `drift`."""
    # It tells its maker of its use unless this says not to.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it and what it imports call others by names that are deprecated
        try:
            import evidently.presets  # noqa: F401, PLC0415 - takes seconds to import, and is in an extra
        except ImportError as error:
            raise EchoPulseError("drift check makes its reports with Evidently", "make drift-environment") from error


def report(name: str, current: Mapping[str, pa.Array], reference: Mapping[str, pa.Array]) -> Report:
    """Return one of REPORTS on samples (echopulse.drift.sample). Evidently chooses the distance by type and size.

    A column that has no value in one of the two is left out. What Evidently cannot compare is told in `failure`.
    """
    from evidently import DataDefinition, Dataset  # noqa: PLC0415 - see check_installed
    from evidently import Report as Evidently  # noqa: PLC0415 - as above
    from evidently.presets import DataDriftPreset  # noqa: PLC0415 - as above

    numbers, labels, texts = (
        [column for column in kind[name] if all(_has_values(each[column]) for each in (current, reference))]
        for kind in (NUMBERS, LABELS, TEXTS)
    )
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=labels, text_columns=texts)
    frames = (
        Dataset.from_pandas(
            pa.table({column: each[column] for column in (*numbers, *labels, *texts)}).to_pandas(),
            data_definition=definition,
        )
        for each in (current, reference)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its classifiers warn of every fit that they broke off
        try:
            made = Evidently([DataDriftPreset(text_method=_TEXTS_BY)]).run(*frames)
        except Exception as error:  # noqa: BLE001 - texts too few or too much alike raise whatever the classifier does
            return Report(name, "", [], f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        page = made.get_html_str(as_iframe=False)
    return Report(name, page, _columns(name, made.dict()["metrics"]))


def _columns(name: str, metrics: list[dict[str, Any]]) -> list[ColumnDrift]:
    found = []
    for metric in metrics:
        config = metric["config"]
        if not config["type"].endswith(":ValueDrift"):
            continue
        distance, threshold, method = float(metric["value"]), float(config["threshold"]), str(config["method"])
        # A probability is small where the two differ, a distance large.
        drifted = distance < threshold if "p_value" in method else distance >= threshold
        found.append(ColumnDrift(name, config["column"], method, distance, threshold, drifted))
    return found


def _has_values(column: pa.Array) -> bool:
    """Say whether anything stands in a column: NaN and null stand for nothing."""
    if pa.types.is_floating(column.type):
        return bool(pc.any(pc.invert(pc.is_null(column, nan_is_null=True)), min_count=0).as_py())
    return bool(len(column) > column.null_count)
