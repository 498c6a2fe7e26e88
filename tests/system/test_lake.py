"""The lake's commands on the embedded S3 server: what is merged, kept, erased, joined, exported, and what is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from echopulse.job.configuration import online_store
from echopulse.job.environment import feast_variables
from echopulse.job.lake import opened
from echopulse.job.submit import declare
from echopulse.stack import Stack, stack_settings
from echopulse.stack.s3 import S3
from echopulse.stack.valkey import Valkey
from echopulse.training.heads import declaration
from features.lake.table import read_table
from features.machinery.connection import connect
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest
from features.machinery.view_spec import Column, ViewSchema
from schemas.errors import EchoPulseError
from tests.system.own_stack import echopulse, own_settings
from transforms.artifact import Manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

    from echopulse.settings import Settings

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

_COMMAND_S = 120
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
LONG_AGO = NOON - timedelta(days=30)
USER_1M = ViewSchema(
    "user_1m",
    (Column("user_id", "string"),),
    (Column("message_rate", "float64"), Column("mean_toxicity", "float64"), Column("repeats", "int64")),
    ttl_s=10 * 86_400,
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """An S3 server and a Valkey of this module's own."""
    place = tmp_path_factory.mktemp("lake")
    (place / "features").symlink_to(request.config.rootpath / "features")
    found = own_settings(place / "home")
    stack = stack_settings(found)
    with Stack(stack, lambda _: None, (S3(stack), Valkey(stack)), ()).bring_up():
        yield found


def run(settings: Settings, *arguments: str, **changed: str) -> CompletedProcess[str]:
    """Run a command; files count as settled at once."""
    changed |= {"ECHOPULSE_FLINK__CHECKPOINT_INTERVAL_MS": "1"}
    return echopulse(settings, *arguments, timeout_s=_COMMAND_S, changed=changed)


def done(settings: Settings, *arguments: str, **changed: str) -> dict[str, Any]:
    """Run a command that must succeed, and return its document."""
    ended = run(settings, *arguments, "--json", **changed)
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def write(settings: Settings, table: str, moment: datetime, name: str, columns: dict[str, list[Any]]) -> None:
    """Write a file as the job leaves it."""
    lake = opened(settings.lake)
    place = lake.within(table, f"date={moment:%Y-%m-%d}", f"hour={moment:%H}", name)
    with lake.files.open_output_stream(place) as stream:
        pq.write_table(pa.table(columns), stream)


def write_features(settings: Settings, moment: datetime, name: str, **rates: float) -> None:
    """Write a file of `user_1m`, a row for each user."""
    columns = {
        "user_id": list(rates),
        "message_rate": list(rates.values()),
        "mean_toxicity": [0.5] * len(rates),
        "repeats": [0] * len(rates),
        "event_timestamp": pa.array([moment.replace(tzinfo=None)] * len(rates), pa.timestamp("ns")),
        "written_ms": [round(moment.timestamp() * 1_000) + 5_000] * len(rates),
    }
    write(settings, "features/user_1m", moment, name, columns)


def rates(settings: Settings) -> dict[str, list[float]]:
    """Return what the lake holds of `user_1m`: the rates of each user, in the order of windows."""
    table = read_table(opened(settings.lake), "features/user_1m")
    found: dict[str, list[float]] = {}
    for row in table.sort_by("event_timestamp").to_pylist() if table is not None else []:
        found.setdefault(row["user_id"], []).append(row["message_rate"])
    return found


def test_small_files_become_one_and_old_rows_go(settings: Settings) -> None:
    """Rows stay as they are; what the policy lets go is gone."""
    for place in range(4):
        write_features(settings, NOON + timedelta(minutes=place), f"part-{place}.parquet", ann=float(place), bob=1.0)
    write_features(settings, LONG_AGO, "part-0.parquet", ann=99.0)
    policy = json.dumps({"features": 7})
    report = done(settings, "feature", "compact", "--retain", ECHOPULSE_LAKE__RETENTION_DAYS=policy)
    [compacted] = [each for each in report["compacted"] if each["table"] == "features/user_1m"]
    assert (compacted["files_before"], compacted["files_after"]) == (4, 1)
    assert rates(settings) == {"ann": [0.0, 1.0, 2.0, 3.0], "bob": [1.0] * 4}
    assert done(settings, "feature", "compact")["compacted"][0]["files_after"] == 1


def test_moments_are_joined_with_what_could_be_read(settings: Settings) -> None:
    """Through Feast, from S3 to S3."""
    place = settings.home.parent
    moments = [f"ann,{(NOON + timedelta(seconds=second)).isoformat()}" for second in (4, 5, 64, 65)]
    (place / "moments.csv").write_text("\n".join(["user_id,event_timestamp", *moments]), encoding="utf-8")
    variables = feast_variables(settings)
    done(settings, "feature", "apply", **variables)
    command = ("feature", "history", "--entities", "moments.csv", "--service", "user_live")
    report = done(settings, *command, "--output", "s3://echopulse/sets/moments.parquet", **variables)
    assert (report["rows"], report["without_any"]) == (4, 1)
    lake = opened(settings.lake)
    with lake.files.open_input_file("echopulse/sets/moments.parquet") as file:
        joined = pq.read_table(file)
    assert joined.column("user_1m__message_rate").to_pylist() == [None, 0.0, 0.0, 1.0]
    then = (NOON + timedelta(seconds=65)).isoformat()
    value = done(settings, "feature", "get", "user_1m", "--entity", "user_id=ann", "--at", then)
    assert value["features"]["message_rate"] == 1.0


def test_a_user_is_forgotten(settings: Settings) -> None:
    """In the lake, where others' rows stay, and online."""
    write(settings, "events", NOON, "part-0.parquet", {"user_id": ["ann", "bob"], "text": ["mine", "yours"]})
    row = pa.table(
        {
            "user_id": ["ann", "bob"],
            "message_rate": [1.0, 2.0],
            "mean_toxicity": [0.1, 0.2],
            "repeats": [0, 0],
            "event_timestamp": pa.array([NOON] * 2, pa.timestamp("ms", "UTC")),
        }
    ).to_batches()[0]
    store = online_store(settings)
    writer = OnlineWriter(store)
    writer.write(USER_1M, row)
    writer.close()
    report = done(settings, "feature", "forget", "--user", "ann")
    assert report["rows"] == {"events": 1, "features/user_1m": 4}
    assert list(rates(settings)) == ["bob"]
    events = read_table(opened(settings.lake), "events", ["text"])
    assert events is not None
    assert events.column("text").to_pylist() == ["yours"]
    with connect(store) as client:
        online = read_latest(client, store.project, USER_1M, [("ann",), ("bob",)])
    assert online.column("message_rate").to_pylist() == [None, 2.0]


def test_an_export_repeated_gives_the_same_bytes(settings: Settings, tmp_path: Path) -> None:
    """And its manifest names every file, with digests."""
    data, labels = tmp_path / "data", ["negative", "neutral", "positive"] * 10
    data.mkdir()
    for split in ("train", "val"):
        texts = [f"{split} number {place}" for place in range(30)]
        pq.write_table(pa.table({"text": texts, "label": labels}), data / f"sentiment.{split}.parquet")
    recipe = {"evenness": 1.0, "off_topic": 0.02, "chat_per_thousand": 100, "seed": 0}
    training = declaration(["sentiment"], data) | recipe
    (tmp_path / "mine").mkdir()
    write_manifest(tmp_path / "mine", Manifest(kind="bag", name="mine", tasks={}, files={}, training=training))
    contents = []
    for name in ("first", "second"):
        output = f"s3://echopulse/sets/{name}.parquet"
        command = ("feature", "export", "--model", str(tmp_path / "mine"), "--data", str(data), "--output", output)
        report = done(settings, *command)
        assert report["rows"] > 30
        assert "sentiment.train.parquet" in report["files"]
        with opened(settings.lake).files.open_input_file(output.removeprefix("s3://")) as file:
            contents.append(file.read())
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ECHOPULSE_LAKE__SECRET_KEY", "wrong", "s3://echopulse"),
        ("ECHOPULSE_LAKE__PATH", "s3://nobucket/lake", "nobucket"),
        ("ECHOPULSE_LAKE__ENDPOINT", "http://127.0.0.1:1", "127.0.0.1:1"),
    ],
)
def test_a_lake_that_cannot_be_read_is_one_line(settings: Settings, variable: str, value: str, message: str) -> None:
    """It names the bucket or the endpoint, and what to mend."""
    ended = run(settings, "feature", "compact", **{variable: value})
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert message in ended.stderr
    assert "lake." in ended.stderr


def test_a_job_whose_lake_is_refused_is_not_submitted(settings: Settings) -> None:
    """It would restart over and over."""
    refused = settings.model_copy(update={"lake": settings.lake.model_copy(update={"secret_key": SecretStr("wrong")})})
    with pytest.raises(EchoPulseError, match="refuses the keys of 'echopulse'"):
        declare(refused, remote=True)


def test_a_file_cut_short_is_named(settings: Settings) -> None:
    """Nothing is rewritten without it."""
    lake = opened(settings.lake)
    place = lake.within("events", f"date={NOON:%Y-%m-%d}", f"hour={NOON:%H}", "part-9.parquet")
    with lake.files.open_output_stream(place) as stream:
        stream.write(b"PAR1 and no more")
    ended = run(settings, "feature", "compact")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert lake.named(place) in ended.stderr
