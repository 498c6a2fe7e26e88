"""What an HTTP status in answer to a live source's request means: try again, or mend something first."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError

#: RFC 9110 and RFC 6585: the client may repeat the request later.
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def refused(address: str, status: int, retry_after: str = "") -> Exception:
    """Return the error that a refusal is: ConnectionLostError where another attempt may help, else EchoPulseError.

    `retry_after` is the answer's header of that name, seconds or a date (RFC 9110, 10.2.3).
    """
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ConnectionLostError(f"the server answered {phrase}", seconds_of(retry_after))
    hint = ""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        hint = "give a valid token in the header Authorization, as env:VARIABLE"
    elif status == HTTPStatus.NOT_FOUND:
        hint = "check the address"
    return EchoPulseError(f"{address} answered {phrase}", hint)


def seconds_of(retry_after: str) -> float:
    """Read a Retry-After header as seconds from now; 0 for one that is missing, past or neither number nor date."""
    text = retry_after.strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds())
