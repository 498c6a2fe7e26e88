"""`echopulse feature serve`: FeatureQuery by gRPC until a signal comes."""

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
    port: int = 18_090,
    cert: Annotated[Path | None, _Quiet] = None,
    key: Annotated[Path | None, _Quiet] = None,
    client_ca: Annotated[Path | None, _Quiet] = None,
    repo: Path = Path("features"),
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Answer feature queries by gRPC, until Ctrl-C or SIGTERM.

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
    repo
        Folder of the Feast repository.
    """
    from echopulse.feature_query.server import FeatureServer
    from echopulse.feature_query.sources import open_sources

    tls = chosen_tls(cert, key, client_ca)
    sources = open_sources(options.settings(), repo)
    bound = serve_until_signal("FeatureQuery", host, tls, lambda: FeatureServer(sources, host, port, tls))
    document = {"host": host, "port": bound, "views": sorted(sources.catalogue.views)}
    emit(document, options.json, lambda: f"FeatureQuery on {host}:{bound} has ended")
