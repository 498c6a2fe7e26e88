"""A real HTTP server on this machine in the shape of the Perspective API, with faults to order."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Reply:
    """What the server sends, after `delay_s`; with `pause_s` the body comes byte by byte, that far apart."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    pause_s: float = 0.0


def scored(value: object) -> Reply:
    """An answer as the service documents it."""
    score = {"summaryScore": {"value": value, "type": "PROBABILITY"}}
    return Reply(body=json.dumps({"attributeScores": {"TOXICITY": score}, "languages": ["en"]}).encode())


def by_text(document: dict[str, Any]) -> Reply:
    """A score that depends on the text alone: its letters `x` among ten."""
    return scored(min(document["comment"]["text"].count("x"), 10) / 10)


class Service(ThreadingHTTPServer):
    """Answers by `reply`, and notes what it was asked and how many questions it had at once."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply: Callable[[dict[str, Any]], Reply] = by_text
        self.asked: list[dict[str, Any]] = []
        self.queries: list[dict[str, list[str]]] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1alpha1/comments:analyze"

    def answer(self, path: str, document: dict[str, Any]) -> Reply:
        """Note a question and return what is answered; the question counts as open meanwhile."""
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.asked.append(document)
            self.queries.append(parse_qs(urlsplit(path).query))
        reply = self.reply(document)
        time.sleep(reply.delay_s)
        with self._lock:
            self._now -= 1
        return reply


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        """Answer one question."""
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = self.server.answer(self.path, document)
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            for byte in reply.body if reply.pause_s else b"":
                self.wfile.write(bytes([byte]))
                time.sleep(reply.pause_s)
            if not reply.pause_s:
                self.wfile.write(reply.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client did not wait

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def running() -> Iterator[Service]:
    """Serve until the end of the block."""
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join(10)
