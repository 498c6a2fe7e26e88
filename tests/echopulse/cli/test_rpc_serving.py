"""The certificates of commands that answer by gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from echopulse.cli.rpc_serving import chosen_tls
from schemas.errors import UsageError

_CERT, _KEY, _CA = Path("cert.pem"), Path("key.pem"), Path("ca.pem")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((_CERT, None, None), "--cert and --key belong together"),
        ((None, _KEY, None), "--cert and --key belong together"),
        ((None, None, _CA), "--client-ca needs --cert and --key"),
    ],
)
def test_some_without_the_others_are_wrong_usage(
    given: tuple[Path | None, Path | None, Path | None], told: str
) -> None:
    """One line says which belong together."""
    with pytest.raises(UsageError, match=told):
        chosen_tls(*given)


def test_none_is_plain_text_and_all_are_kept() -> None:
    """The authority may be left out."""
    assert chosen_tls(None, None, None) is None
    tls = chosen_tls(_CERT, _KEY, _CA)
    assert tls is not None
    assert (tls.certificate, tls.key, tls.client_authority) == (_CERT, _KEY, _CA)
