"""The commands `registry` and `tune`, where nothing needs a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

NO_MLFLOW = "the registry is kept by MLflow, and there is none (`echopulse up` starts one; tracking.uri names another)"


NO_REFERENCE = (
    "'sentiment' names no model of the registry (sentiment@champion, sentiment@challenger or sentiment@sha256:PREFIX)"
)
A_MODEL = "'sentiment@champion' is a model; a task is rolled back (sentiment)"
NO_TIME = "--at 'soon' is no time (for example 2026-01-31T08:00Z)"
NO_TASK = "no task given (echopulse tune sentiment --data DIR --output DIR)"
TUNE = ["tune", "hate", "--data", ".", "--output", "x"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["registry", "ls"], 1, NO_MLFLOW),
        (["registry", "list", "sentiment", "--json"], 1, NO_MLFLOW),
        (["registry", "show", "sentiment@champion"], 1, NO_MLFLOW),
        (["registry", "register", "default"], 1, NO_MLFLOW),
        (["registry", "timeline", "sentiment"], 1, NO_MLFLOW),
        (["registry", "rollback", "sentiment"], 1, NO_MLFLOW),
        (["registry", "rollback", "sentiment@champion"], 2, A_MODEL),
        (["registry", "promote", "sentiment"], 1, NO_REFERENCE),
        (["registry", "shadow", "hate@challenger", "--wait=-1"], 2, "--wait -1: from 0 to 86,400 seconds"),
        (["registry", "promote", "hate@challenger", "--at", "soon"], 2, NO_TIME),
        (["registry", "serve", "--cert", "x.pem"], 2, "--cert and --key belong together"),
        (["registry", "serve", "--client-ca", "x.pem"], 2, "--client-ca needs --cert and --key"),
        (["tune", "--data", ".", "--output", "x"], 2, NO_TASK),
        ([*TUNE, "--trials", "0"], 2, "--trials 0 --workers 1: both are at least 1"),
        ([*TUNE, "--trials", "1"], 1, ". has no val rows for hate (wanted: hate.val.parquet)"),
        (["evaluate", "sentiment@champion", "--data", "."], 1, NO_MLFLOW),
    ],
)
def test_faults(
    arguments: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A fault is one line on stderr and its exit code."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == f"echopulse: {told}\n"
