"""What the commands that answer by gRPC share: their certificates, and serving until a signal comes."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from echopulse.cli.stop_signal import stopped_by_signal
from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.rpc_server import RpcServer, Tls


def chosen_tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    """Return the certificates of --cert, --key and --client-ca; raises UsageError for some without the others."""
    from echopulse.rpc_server import Tls

    if (cert is None) != (key is None):
        raise UsageError("--cert and --key belong together")
    if client_ca is not None and cert is None:
        raise UsageError("--client-ca needs --cert and --key")
    return Tls(cert, key, client_ca) if cert is not None and key is not None else None


def serve_until_signal(called: str, host: str, tls: Tls | None, begin: Callable[[], RpcServer]) -> int:
    """Begin a server, say on stderr where it listens, and end it at Ctrl-C or SIGTERM; return its port."""
    stop = threading.Event()
    with stopped_by_signal(stop.set), begin() as server:
        secured = "plain text" if tls is None else "TLS" if tls.client_authority is None else "mutual TLS"
        sys.stderr.write(f"{called} listens on {host}:{server.port}, {secured}\n")
        sys.stderr.flush()
        stop.wait()
    return server.port
