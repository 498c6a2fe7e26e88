"""Checkpoints of a hub: a server of our own that answers as Hugging Face's does."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from echopulse.training.imported import ImportOrder, import_checkpoint
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "somebody/moods"
pytestmark = pytest.mark.usefixtures("train_extra")


class Hub(ThreadingHTTPServer):
    """Serves the files of one repository; `asked` are the requests it answered."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files = files
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    """Source of the protocol: the Hub's API, /api/models/ID/revision/REV and /tree/REV, and /ID/resolve/REV/FILE."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer for the repository, the list of its files, or one of them."""
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(path)
        if path.startswith(f"/api/models/{NAME}/revision/"):
            found = path.endswith(("/main", "/v1", f"/{COMMIT}"))
            if found:
                self._json({"id": NAME, "sha": COMMIT, "siblings": [{"rfilename": name} for name in self.server.files]})
            else:
                self._refuse("RevisionNotFound", "Invalid rev id")
        elif path.startswith(f"/api/models/{NAME}/tree/{COMMIT}"):
            self._json(
                [
                    {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}  # noqa: S324 - as git names blobs
                    for name, body in self.server.files.items()
                ]
            )
        elif path.startswith(f"/{NAME}/resolve/{COMMIT}/") and path.rpartition("/")[2] in self.server.files:
            self._file(self.server.files[path.rpartition("/")[2]])
        else:
            self._refuse("RepoNotFound", "Repository not found")

    do_HEAD = do_GET  # noqa: N815 - the name is http.server's

    def _json(self, document: object) -> None:
        self._answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _file(self, body: bytes) -> None:
        etag = hashlib.sha1(body).hexdigest()  # noqa: S324 - as above
        self._answer(200, body, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"})

    def _refuse(self, code: str, reason: str) -> None:
        self._answer(404, b"{}", {"X-Error-Code": code, "X-Error-Message": reason})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def hub(checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with a small checkpoint and more files than are wanted, and an empty cache."""
    import huggingface_hub.constants  # noqa: PLC0415 - in the extra `train`

    folder = checkpoint("bert", ("negative", "neutral", "positive"))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files |= {"README.md": b"---\nlicense: mit\n---\n# Moods\n", "tf_model.h5": b"-", "pytorch_model.bin": b"-"}
    served = Hub(files)
    monkeypatch.setenv("HF_ENDPOINT", served.address)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


def _ignore(line: str) -> None:
    del line


def test_fetched_and_pinned(hub: Hub, tmp_path: Path) -> None:
    """A branch becomes its commit in the manifest; pickles and other frameworks' weights are not fetched."""
    import_checkpoint(ImportOrder(NAME, ("sentiment",), tmp_path / "own"), _ignore)
    training = read_manifest(tmp_path / "own")[0].training
    assert (training["checkpoint"], training["revision"], training["licence"]) == (NAME, COMMIT, "mit")
    fetched = {path.rpartition("/")[2] for path in hub.asked if "/resolve/" in path}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= fetched
    assert not {"tf_model.h5", "pytorch_model.bin"} & fetched


def test_older_weights_are_fetched_where_there_are_no_others(hub: Hub) -> None:
    """Without safetensors, what PyTorch wrote before."""
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - in the extra `train`

    del hub.files["model.safetensors"]
    source = find_checkpoint(f"{NAME}@v1", _ignore)
    assert ([path.name for path in source.weights], source.safe) == (["pytorch_model.bin"], False)
    assert source.revision == COMMIT


def test_what_was_fetched_is_there_without_the_hub(hub: Hub) -> None:
    """Named by its commit, what is in the cache is not asked for again."""
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - as above

    find_checkpoint(NAME, _ignore)
    hub.asked.clear()
    source = find_checkpoint(f"{NAME}@{COMMIT}", _ignore)
    assert source.revision == COMMIT
    assert hub.asked == []


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (f"{NAME}@v2", f"'{NAME}' has no revision 'v2' on the hub"),
        (
            "somebody/mods",
            "neither a folder nor a checkpoint of the hub is called 'somebody/mods' (a private one needs HF_TOKEN)",
        ),
        ("a/b/c", "no checkpoint 'a/b/c' (a folder, or an id of the hub: OWNER/NAME[@REVISION])"),
    ],
)
def test_what_is_not_there(hub: Hub, named: str, told: str) -> None:
    """A name or revision that the hub does not know is told in a line."""
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - as above

    del hub
    with pytest.raises(EchoPulseError) as raised:
        find_checkpoint(named, _ignore)
    assert str(raised.value) == told


def test_no_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, that is told."""
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - as above

    del hub
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(EchoPulseError, match=f"'{NAME}' cannot be fetched from the hub: "):
        find_checkpoint(NAME, _ignore)


@pytest.mark.parametrize(
    ("missing", "told"),
    [("config.json", r"holds no config\.json"), ("model.safetensors", "holds no weights for PyTorch")],
)
def test_folders(checkpoint: Callable[..., Path], tmp_path: Path, missing: str, told: str) -> None:
    """A folder that is no whole checkpoint is refused by name."""
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - as above

    folder = shutil.copytree(checkpoint("bert", ("negative", "neutral", "positive")), tmp_path / "own")
    (folder / missing).unlink()
    with pytest.raises(EchoPulseError, match=told):
        find_checkpoint(str(folder), _ignore)
