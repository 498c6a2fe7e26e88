"""Why a query is refused, with the gRPC status that says so."""

from __future__ import annotations

import grpc

from schemas.errors import EchoPulseError


class RefusedError(EchoPulseError):
    """A query that cannot be answered; its status goes to the client with the text."""

    status = grpc.StatusCode.INVALID_ARGUMENT


class UnknownError(RefusedError):
    """A view, service or feature that is not there."""

    status = grpc.StatusCode.NOT_FOUND


class TooMuchError(RefusedError):
    """An answer, or a question, above what one call may hold."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED


class LateError(RefusedError):
    """The client's deadline, or the server's own, has passed."""

    status = grpc.StatusCode.DEADLINE_EXCEEDED
