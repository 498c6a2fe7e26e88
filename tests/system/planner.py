"""The JVM that PyFlink plans in: PyFlink starts it and forgets it, so it is kept here and ended with what used it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator


@contextmanager
def planner_ended() -> Iterator[None]:
    """End the JVM that is started meanwhile, if any; the next to ask starts its own."""
    from pyflink import java_gateway  # noqa: PLC0415 - costs seconds

    started: list[subprocess.Popen[bytes]] = []
    launch = java_gateway.launch_gateway_server_process

    def keep(*arguments: object) -> subprocess.Popen[bytes]:
        started.append(launch(*arguments))
        return started[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(java_gateway, "launch_gateway_server_process", keep)
        yield
        if started:
            java_gateway.get_gateway().shutdown()
    # Outside the patch, which would put the ended one back.
    if started:
        java_gateway._gateway = None
    for process in started:
        process.communicate(timeout=60)
