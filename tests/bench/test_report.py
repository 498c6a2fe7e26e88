from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.measure import Figure, Section
from bench.report import document, number

_GOLDEN = Path(__file__).parent / "golden"


def test_the_report_is_the_golden_one() -> None:
    """Machine, command, date, method, figures, notes; write the file anew when a change is meant."""
    section = Section(
        "e2e",
        "End to end (`e2e`)",
        "How it was done.",
        (
            Figure("end to end", (40_123.4,), "events/s", "3.1 x (b)"),
            Figure("read", (1.25, 1.5, 2.0), "ms"),
        ),
        ("what to know",),
    )
    written = document(
        [section], [("CPU", "2 cores, AMD EPYC")], "make bench", datetime(2026, 1, 31, 12, 5, tzinfo=UTC)
    )
    assert written == (_GOLDEN / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("value", "text"), [(0.123456, "0.123"), (12.345, "12.3"), (99.96, "100"), (1234.5, "1,234")])
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    """Small ones keep a fraction, large ones do not."""
    assert number(value) == text
