"""The environment of a child."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.stack.spec import STACK_VARIABLE, child_environ

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_would_mislead_a_service_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another Flink's or S3's variables stay behind; what is added wins; the stack's mark is set."""
    monkeypatch.setenv("FLINK_CONF_DIR", "/elsewhere")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environ = child_environ({"FLINK_HOME": "/ours", "PATH": "/bin"}, tmp_path)
    assert environ["FLINK_HOME"] == "/ours"
    assert environ["PATH"] == "/bin"
    assert environ["LANG"] == "C.UTF-8"
    assert environ[STACK_VARIABLE] == str(tmp_path)
    assert not {"FLINK_CONF_DIR", "AWS_ACCESS_KEY_ID"} & set(environ)
