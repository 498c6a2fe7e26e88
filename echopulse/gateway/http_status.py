"""What an HTTP status in answer to a live source's request means: try again, or mend something first."""

from __future__ import annotations

from http import HTTPStatus

from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError

#: RFC 9110 and RFC 6585: the client may repeat the request later.
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def refused(address: str, status: int) -> Exception:
    """Return the error that a refusal is: ConnectionLostError where another attempt may help, else EchoPulseError."""
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ConnectionLostError(f"the server answered {phrase}")
    hint = ""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        hint = "give a token by --header Authorization=env:VARIABLE"
    elif status == HTTPStatus.NOT_FOUND:
        hint = "check the address"
    return EchoPulseError(f"{address} answered {phrase}", hint)
