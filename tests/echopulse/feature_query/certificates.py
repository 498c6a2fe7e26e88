"""An authority of the test's own, a server's certificate for 127.0.0.1 and a client's, as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


def write_certificates(folder: Path) -> None:
    """Write ca.crt, and .crt and .key of server, client and `stranger`, whom that authority does not know."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    for name, signer in (("server", authority), ("client", authority), ("stranger", other)):
        certificate = signer.issue_cert("127.0.0.1")
        certificate.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        for blob in certificate.cert_chain_pems[:1]:
            blob.write_to_path(str(folder / f"{name}.crt"))
