"""Connections to NATS: one attempt, bounded, its failure told in one line; the callers decide on the next."""

from __future__ import annotations

import asyncio
import ssl
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.errors import AuthorizationError, Error, NoServersError

from echopulse.telemetry import logger
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from echopulse.gateway.nats_config import NatsConfig, NatsTls

    Told = Callable[[Exception], Awaitable[None]]

_LOG = logger(__name__)
_CLOSE_TIMEOUT_S = 5.0
_RANDOM = SystemRandom()


class NatsAwayError(EchoPulseError):
    """No server can be reached now; another attempt may find one."""


async def connect(config: NatsConfig, told: Told | None = None) -> Client:
    """Try each server once, in any order; it does not reconnect: what was on its way then is sent again by the caller.

    `told` hears of errors that leave the connection standing, such as a forbidden subject. Raises NatsAwayError, or
    EchoPulseError for what another attempt does not mend: a wrong token, a file that cannot be read.
    """
    options: dict[str, Any] = {}
    if config.tls is not None:
        options["tls"] = _tls(config.tls)
    if config.token is not None:
        options["token"] = config.token.get_secret_value()
    if config.user is not None and config.password is not None:
        options |= {"user": config.user, "password": config.password.get_secret_value()}
    if config.credentials is not None:
        path = config.credentials.expanduser()
        if not await asyncio.to_thread(path.is_file):
            raise EchoPulseError(f"nats.credentials: {path} is no file", "`nsc generate creds` writes one")
        options["user_credentials"] = str(path)
    lost: EchoPulseError | None = None
    for server in _RANDOM.sample(config.servers, len(config.servers)):
        try:
            return await _connect(server, config, options, told or _note)
        except NatsAwayError as error:
            lost = error
    raise lost or EchoPulseError("nats.servers is empty")


async def _connect(server: str, config: NatsConfig, options: dict[str, Any], told: Told) -> Client:
    client = Client()
    try:
        await client.connect(
            server,
            name="echopulse-gateway",
            allow_reconnect=False,
            connect_timeout=config.connect_timeout_s,  # type: ignore[arg-type] # it takes fractions
            max_reconnect_attempts=1,
            pending_size=0,
            ping_interval=5,
            max_outstanding_pings=2,
            error_cb=told,
            **options,
        )
    except BaseException as error:
        # The client leaves the socket of a handshake that failed open.
        await disconnect(client)
        if not isinstance(error, Error | OSError | TimeoutError):
            raise
        raise _explained(error, config) from error
    return client


def _explained(error: Exception, config: NatsConfig) -> EchoPulseError:
    forbidden = isinstance(error, AuthorizationError | ssl.SSLCertVerificationError)
    if forbidden or "authorization" in str(error).lower():
        return EchoPulseError(
            f"NATS at {config.address} refuses this client: {error}",
            "nats.token, nats.user, nats.credentials and nats.tls in gateway.yaml say who it is",
        )
    told = "no answer" if isinstance(error, NoServersError | TimeoutError) else str(error)
    return NatsAwayError(
        f"no NATS server answers at {config.address}: {told}", "nats.servers in gateway.yaml names them"
    )


async def disconnect(connection: Client) -> None:
    """Close within a time, also where the caller is cancelled meanwhile; a broken connection is let go."""
    closing = asyncio.ensure_future(connection.close())
    await asyncio.wait({closing}, timeout=_CLOSE_TIMEOUT_S)
    if not closing.done():
        closing.cancel()
    elif not closing.cancelled() and (error := closing.exception()) is not None:
        _LOG.debug("NATS", error=str(error))


def _tls(files: NatsTls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=files.ca.expanduser() if files.ca else None)
        if files.cert is not None and files.key is not None:
            context.load_cert_chain(files.cert.expanduser(), files.key.expanduser())
    except OSError as error:
        named = ", ".join(str(path) for path in (files.ca, files.cert, files.key) if path)
        raise EchoPulseError(f"nats.tls: {named} cannot be used: {error}") from error
    return context


async def _note(error: Exception) -> None:
    _LOG.debug("NATS", error=str(error))
