"""`echopulse registry serve`: ModelRegistry and Analyze by gRPC until a signal comes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from echopulse.cli.rpc_serving import chosen_tls, serve_until_signal

_Quiet = Parameter(show_default=False)


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 18_091,
    cert: Annotated[Path | None, _Quiet] = None,
    key: Annotated[Path | None, _Quiet] = None,
    client_ca: Annotated[Path | None, _Quiet] = None,
    data: Annotated[Path | None, _Quiet] = None,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Answer by gRPC, until Ctrl-C or SIGTERM: models, promotions, scores.

    Without a certificate it speaks plain text: keep it on this machine or
    in a private network.

    Parameters
    ----------
    host
        Address to listen on.
    port
        0 takes a free one; it is named on stderr.
    cert
        The server's certificate chain, PEM; with --key, TLS.
    key
        The certificate's key, PEM.
    client_ca
        Clients must show a certificate of this authority, PEM.
    data
        Folder of the labelled files that the gates read; default: training_data of the settings.
    """
    from echopulse.registry.server import NAMES, RegistryServer

    tls = chosen_tls(cert, key, client_ca)
    settings = options.settings()
    bound = serve_until_signal("the registry", host, tls, lambda: RegistryServer(settings, host, port, tls, data))
    document = {"host": host, "port": bound, "services": list(NAMES)}
    emit(document, options.json, lambda: f"the registry on {host}:{bound} has ended")
