"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from echopulse.cli.moment import read_moment
from schemas.errors import UsageError


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00+02:00", datetime(2026, 1, 31, 8, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    """A time without a zone is in UTC."""
    assert read_moment("--from", text) == moment


def test_no_time() -> None:
    """The option and the text are named."""
    with pytest.raises(UsageError, match="--from 'noon' is no time"):
        read_moment("--from", "noon")
