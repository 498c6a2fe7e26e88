"""What is told where MLflow does not answer as it should."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from echopulse.tracking.server import MlflowAwayError, MlflowRefusedError, MlflowServer, plain

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_nobody_there() -> None:
    """A port where nobody listens."""
    with (
        MlflowServer("http://127.0.0.1:1") as server,
        pytest.raises(MlflowAwayError, match=r"MLflow at http://127.0.0.1:1 is away: .*refused"),
    ):
        server.get("experiments/get", experiment_id="0")


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (200, b"<html>hello</html>", MlflowAwayError, "answers, but not as MLflow does"),
        (502, b"", MlflowAwayError, "fails: Bad Gateway"),
        (
            404,
            b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No\\nrun"}',
            MlflowRefusedError,
            "refuses: No run",
        ),
        (401, b"who are you", MlflowRefusedError, "refuses: Unauthorized"),
    ],
)
def test_answers_that_are_none(status: int, body: bytes, error: type[Exception], told: str) -> None:
    """Each becomes one line, told apart by whether another attempt may go through."""
    with answering(status, body) as uri, MlflowServer(uri) as server, pytest.raises(error, match=told):
        server.get("runs/get", run_id="x")


def test_artifacts_elsewhere_are_refused() -> None:
    """A server that gives out addresses of its store, instead of passing files on, is told."""
    with MlflowServer("http://127.0.0.1:1") as server, pytest.raises(MlflowRefusedError, match="--serve-artifacts"):
        server.upload("s3://bucket/1/x/artifacts", "a.png", b"")


def test_numbers_that_are_none() -> None:
    """Protobuf's JSON has words for them, JSON has not."""
    values = {"a": [float("nan"), float("inf")], "b": (float("-inf"), 1.5)}
    assert plain(values) == {"a": ["NaN", "Infinity"], "b": ["-Infinity", 1.5]}
