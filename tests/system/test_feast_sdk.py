"""What the job writes, read by Feast itself: the locked SDK and the newest release, and Feast's own commands."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from features.machinery.connection import OnlineStoreSettings
from features.machinery.online_writer import OnlineWriter
from tests.features.conftest import Valkey
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(1_200),  # an environment is made, servers of Feast's start
    pytest.mark.filterwarnings("ignore:Stream feature views are experimental:RuntimeWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
VIEWS = ("channel_1m", "channel_5m", "channel_1h")
CHANNELS = ["twitch:a", "discord:ünï", "nobody"]
#: What a script of someone without EchoPulse does.
READ = """
import json, sys
from pathlib import Path
import feast
store = feast.FeatureStore(sys.argv[1], fs_yaml_file=Path(sys.argv[2]))
service = store.get_feature_service("channel_live")
rows = [{"channel_id": channel} for channel in json.loads(sys.argv[3])]
answer = store.get_online_features(service, rows, full_feature_names=True).to_dict()
print(json.dumps([feast.__version__, answer]))
"""


@dataclass(frozen=True)
class Repo:
    """A copy of the project's Feast repository, applied, with values in its online store."""

    folder: Path
    environment: dict[str, str]
    plain: Path
    expected: dict[str, list[Any]]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repo]:
    """Apply the repository and write two channels' rows as the job does."""
    root = tmp_path_factory.mktemp("repo")
    folder = root / "features"
    shutil.copytree(ROOT / "features", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "schemas").symlink_to(ROOT / "schemas")
    server = Valkey(root)
    try:
        server.start()
        plain = folder / "plain.yaml"
        plain.write_text(plain.read_text("utf-8").replace("127.0.0.1:16379", server.address), "utf-8")
        others = {name: value for name, value in os.environ.items() if not name.startswith("ECHOPULSE_")}
        environment = others | {
            "ECHOPULSE_ONLINE_STORE__CONNECTION": server.address,
            "ECHOPULSE_HOME": str(root / ".echopulse"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "FEAST_USAGE": "False",
        }
        (root / ".echopulse").mkdir()
        apply = [sys.executable, "-m", "echopulse.cli.main", "feature", "apply", "--repo", str(folder)]
        subprocess.run(apply, env=environment, cwd=root, check=True, timeout=300)
        yield Repo(folder, environment, plain, _write(server.address))
    finally:
        server.stop()


def _write(address: str) -> dict[str, list[Any]]:
    """Write a row a channel to each view and return what Feast shall answer."""
    from features import services  # noqa: PLC0415 imports Feast
    from features.machinery.compiler import compile_views  # noqa: PLC0415 as above
    from features.machinery.from_feast import from_feast  # noqa: PLC0415 as above

    declared = compile_views(from_feast(view) for view in vars(services).values() if hasattr(view, "aggregations"))
    expected: dict[str, list[Any]] = {"channel_id": CHANNELS}
    writer, now = OnlineWriter(OnlineStoreSettings(address)), datetime.now(UTC)
    for place, view in enumerate(view for view in declared if view.name in VIEWS):
        columns: dict[str, Any] = {"channel_id": CHANNELS[:2]}
        for number, feature in enumerate(view.schema.features):
            values = [number + place, -number] if feature.type == "int64" else [number / 8, -0.5]
            columns[feature.name] = pa.array(values, pa.int64() if feature.type == "int64" else pa.float64())
            expected[f"{view.name}__{feature.name}"] = [*values, None]
        columns["event_timestamp"] = pa.array([now, now], pa.timestamp("ms", "UTC"))
        assert writer.write(view.schema, pa.record_batch(columns)) == 2
    writer.close()
    return expected


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment of its own with the newest release of Feast; nothing of ours in it."""
    folder = tmp_path_factory.mktemp("newest")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    interpreter = folder / "bin" / "python"
    install = [str(interpreter), "-m", "pip", "install", "--quiet", "--upgrade", "feast[redis,duckdb]"]
    done = subprocess.run(install, check=False, timeout=900, capture_output=True, text=True)
    if done.returncode:
        reason = f"the newest Feast cannot be installed: {(done.stderr.splitlines() or ['no reason given'])[-1]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return interpreter


@pytest.mark.parametrize("release", ["locked", "newest"])
def test_a_plain_sdk_reads_what_the_job_wrote(
    repo: Repo, release: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Without EchoPulse: every value of every channel, and nothing for one that is not there."""
    interpreter = sys.executable if release == "locked" else str(request.getfixturevalue("newest"))
    environment = {name: value for name, value in repo.environment.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [interpreter, "-c", READ, str(repo.folder), str(repo.plain), json.dumps(CHANNELS)],
        env=environment,
        cwd=tmp_path,
        check=False,
        timeout=300,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    _, answer = json.loads(done.stdout.splitlines()[-1])
    assert answer == repo.expected


def test_feast_lists_the_views(repo: Repo) -> None:
    """Feast lists views by their kind; ours are stream feature views."""
    listed = {}
    for kind in ("feature-views", "stream-feature-views"):
        done = subprocess.run(
            [_feast(), "--chdir", str(repo.folder), kind, "list"],
            env=repo.environment,
            check=False,
            timeout=200,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        listed[kind] = done.stdout
    assert "NAME" in listed["feature-views"]
    assert all(name in listed["stream-feature-views"] for name in VIEWS)


def test_feast_serves_the_features(repo: Repo) -> None:
    """By HTTP, through the plug-in."""
    question = {"feature_service": "channel_live", "entities": {"channel_id": CHANNELS}, "full_feature_names": True}
    with _served(repo, "serve") as address:
        request = urllib.request.Request(  # noqa: S310 our own server
            f"{address}/get-online-features",
            data=json.dumps(question).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            answer = json.load(response)
    names = answer["metadata"]["feature_names"]
    values = {name: column["values"] for name, column in zip(names, answer["results"], strict=True)}
    assert values == repo.expected
    statuses = dict(zip(names, (column["statuses"] for column in answer["results"]), strict=True))
    assert statuses["channel_1m__message_count"] == ["PRESENT", "PRESENT", "NOT_FOUND"]


def test_feasts_page_shows_the_project(repo: Repo) -> None:
    """`feast ui` answers on its port, with the project in its list."""
    with _served(repo, "ui") as address:
        with urllib.request.urlopen(f"{address}/", timeout=60) as page:  # noqa: S310
            assert b"<html" in page.read().lower()
        with urllib.request.urlopen(f"{address}/projects-list.json", timeout=60) as listed:  # noqa: S310
            assert "echopulse" in {project["id"] for project in json.load(listed)["projects"]}


@contextmanager
def _served(repo: Repo, command: str) -> Iterator[str]:
    """Run one of Feast's servers until it answers, three minutes at most; yield its address."""
    port = free_port()
    arguments = [_feast(), "--chdir", str(repo.folder), command, "--host", "127.0.0.1", "--port", str(port)]
    log = repo.folder.parent / f"{command}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, env=repo.environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 180
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)
        else:
            return


def _feast() -> str:
    """Feast's command, beside the interpreter that runs the tests."""
    return str(Path(sys.executable).parent / "feast")
