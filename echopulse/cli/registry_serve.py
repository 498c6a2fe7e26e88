"""`echopulse registry serve`: ModelRegistry and Analyze by gRPC until a signal comes."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from schemas.errors import UsageError

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
    from echopulse.cli.stop_signal import stopped_by_signal
    from echopulse.registry.server import NAMES, RegistryServer
    from echopulse.rpc_server import Tls

    if (cert is None) != (key is None):
        raise UsageError("--cert and --key belong together")
    if client_ca is not None and cert is None:
        raise UsageError("--client-ca needs --cert and --key")
    tls = Tls(cert, key, client_ca) if cert is not None and key is not None else None
    stop = threading.Event()
    with stopped_by_signal(stop.set), RegistryServer(options.settings(), host, port, tls, data) as server:
        secured = "plain text" if tls is None else "TLS" if tls.client_authority is None else "mutual TLS"
        sys.stderr.write(f"the registry listens on {host}:{server.port}, {secured}\n")
        sys.stderr.flush()
        stop.wait()
    document = {"host": host, "port": server.port, "services": list(NAMES)}
    emit(document, options.json, lambda: f"the registry on {host}:{server.port} has ended")
