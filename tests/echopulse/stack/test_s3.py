"""The object store's command."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from echopulse.stack.s3 import S3

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings


def test_every_port_is_named_and_its_own(stack_settings: StackSettings) -> None:
    """Eight ports, all different, all in the command, and none left to a default."""
    s3 = S3(stack_settings)
    numbers = [port.number for port in s3.ports]
    assert numbers == [18333, 18334, 18335, 18336, 18337, 18338, 18339, 18340]
    argv = s3.launch().argv
    assert os.access(argv[0], os.X_OK)
    options = dict(option.lstrip("-").split("=", 1) for option in argv[2:])
    assert sorted(int(value) for key, value in options.items() if ".port" in key and value != "0") == numbers
    assert options["ip.bind"] == "127.0.0.1"


def test_the_key_is_readable_by_its_owner_only(stack_settings: StackSettings) -> None:
    """The one identity has the settings' keys; its file is closed to others, and no argument shows the secret."""
    argv = S3(stack_settings).launch().argv
    path = stack_settings.conf / "s3.json"
    (identity,) = json.loads(path.read_text())["identities"]
    assert identity["credentials"] == [{"accessKey": "echopulse", "secretKey": stack_settings.secret_key}]
    assert path.stat().st_mode & 0o077 == 0
    assert not any(stack_settings.secret_key in argument for argument in argv)


def test_no_server_is_not_ready(stack_settings: StackSettings) -> None:
    """The health check answers with a reason."""
    unused = type(stack_settings)(home=stack_settings.home, s3_port=1)
    assert S3(unused).unready().startswith("bucket echopulse: ")
