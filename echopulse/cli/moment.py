"""A time as a person writes it on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.errors import UsageError


def read_moment(option: str, text: str) -> datetime:
    """Read the time that an option gives; without a zone it is in UTC. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} '{text}' is no time", "for example 2026-01-31T08:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
