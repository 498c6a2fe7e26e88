"""The tracking server's command, and when it is one of the services."""

from __future__ import annotations

import fcntl
import hashlib
import re
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from echopulse.stack import mlflow
from echopulse.stack.mlflow import LOCK, Mlflow, installed
from echopulse.stack.services import late_specs, specs
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.stack.settings import StackSettings


def test_it_is_a_service_where_it_is_asked_for(stack_settings: StackSettings) -> None:
    """What only scores does not pay for it."""
    asked = replace(stack_settings, mlflow=True)
    assert late_specs(stack_settings) == ()
    assert [spec.address for spec in late_specs(asked)] == ["http://127.0.0.1:18500"]
    assert "mlflow" not in [spec.name for spec in specs(asked)]


def test_the_lock_names_no_place_and_checks_every_file() -> None:
    """Versions and digests alone; whoever installs chooses the index."""
    text = LOCK.read_text(encoding="utf-8")
    packages = re.findall(r"^[\w.-]+==\S+", text, re.MULTILINE)
    assert any(package.startswith("mlflow==") for package in packages)
    assert text.count("--hash=sha256:") >= len(packages)
    assert "://" not in text


def test_no_server_is_not_ready(stack_settings: StackSettings) -> None:
    """The health check answers with a reason."""
    assert Mlflow(replace(stack_settings, mlflow_port=1)).unready() == "it does not listen yet"


def test_what_is_missing_is_told_until_it_is_there(stack_settings: StackSettings) -> None:
    """How much disk an installation takes; of a whole one nothing is missing."""
    server = Mlflow(stack_settings)
    assert server.missing == "0.8 GB of disk"
    folder = mlflow._folder(stack_settings.cache)
    folder.mkdir(parents=True)
    assert server.missing == "0.8 GB of disk"
    (folder / ".complete").touch()
    assert server.missing == ""


def test_an_install_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of pip's, and how to do without; the next attempt begins anew."""
    lock = tmp_path / "lock.txt"
    lock.write_text("no-such-package-of-anybody @ file:///none\n", encoding="utf-8")
    monkeypatch.setattr(mlflow, "LOCK", lock)
    told = r"mlflow: it cannot be installed: .*\(stack.mlflow: false starts the stack without it\)"
    for _ in range(2):
        with pytest.raises(EchoPulseError, match=told):
            installed(tmp_path / "cache")


def test_an_installation_that_is_broken_off_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, stack_settings: StackSettings
) -> None:
    """Whether it was at work or waited for another stack's."""
    cancelled = threading.Event()
    cancelled.set()
    begun = time.time()
    with pytest.raises(EchoPulseError, match=r"^mlflow: its installation was broken off$"):
        mlflow._run(cancelled, sys.executable, "-c", "import time; time.sleep(600)")
    assert not [child for child in psutil.Process().children() if child.create_time() > begun]
    server = Mlflow(stack_settings)
    folder = stack_settings.cache / f"mlflow-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(EchoPulseError, match=r"^mlflow: its installation was broken off$"):
            server.prepare(cancelled)
        monkeypatch.setattr(mlflow, "_INSTALL_S", 0)
        with pytest.raises(EchoPulseError, match=r"^mlflow: another process installs it for longer than 0 s$"):
            server.prepare(threading.Event())


def test_an_installation_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package index that hangs does not hold it for ever."""
    monkeypatch.setattr(mlflow, "_INSTALL_S", 0)
    with pytest.raises(EchoPulseError, match=r"^mlflow: installing it took longer than 0 s$"):
        mlflow._run(threading.Event(), sys.executable, "-c", "import time; time.sleep(600)")
