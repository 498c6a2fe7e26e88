"""A Flink cluster's REST interface, answered from a script by a real HTTP server, and records on the test's broker."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FLUSH_S = 30


@dataclass
class ScriptedFlink:
    """Says, to each request, the next answer of its script; the last one is repeated. `asked` holds the requests."""

    rest: str = ""
    script: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, request: str, *answers: object, status: int = 200) -> None:
        """Answer `METHOD /path` with these JSON documents, one after the other."""
        self.script[request] = [(status, answer) for answer in answers]

    def next(self, request: str, body: object) -> tuple[int, Any]:
        """Note what was asked and return status and document."""
        self.asked.append((request, body))
        answers = self.script.get(request, [(404, {"errors": [f"Unable to load requested file {request}."]})])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _handler(flink: ScriptedFlink) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            status, document = flink.next(f"{self.command} {self.path}", body)
            payload = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PATCH = _reply  # noqa: N815 the base class looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class names it so
            """Say nothing."""

    return Handler


@pytest.fixture
def flink() -> Iterator[ScriptedFlink]:
    """Yield a scripted cluster that listens on this machine."""
    scripted = ScriptedFlink()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(scripted)) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        scripted.rest = f"http://127.0.0.1:{server.server_address[1]}"
        yield scripted
        server.shutdown()
        thread.join()


@pytest.fixture
def write_topic(bootstrap: str) -> Callable[..., None]:
    """Return a function that writes values to one partition of a topic: (topic, values, partition=0, ts_ms, key)."""

    def write(topic: str, values: list[bytes], *, partition: int = 0, ts_ms: int = 1, key: str | None = None) -> None:
        producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        for value in values:
            producer.produce(topic, value, key, partition, timestamp=ts_ms)
        assert producer.flush(_FLUSH_S) == 0

    return write
