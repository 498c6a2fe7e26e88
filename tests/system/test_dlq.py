"""Dead letters of every stage of the job: listed, shown, mended and replayed, each event through exactly once."""

from __future__ import annotations

import json
import time
import warnings
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from confluent_kafka import Producer

from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Closing
from echopulse.job.audit import audit, positions
from echopulse.job.launch import pipeline
from schemas.avro import decode_analysis
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS
from tests.system.own_stack import echopulse, left_running, own_settings
from tests.system.planner import planner_ended
from tests.system.topics_read import results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.settings import Settings

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(600)]

_DEADLINE_S = 120
GOOD = tuple(f"good-{number}" for number in range(20))
#: Two whose strategy fails, and one whose record had another time.
MENDED = ("boom-1", "boom-2", "apart")
STRATEGY = '''
"""Toxicity by a list of words that may be missing."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from transforms.kinds import TOXICITY
from transforms.strategy import Strategy

WORDS = Path(__file__).with_name("words.txt")


class Listed(Strategy):
    """Needs its list for texts that say boom."""

    kind = "toxicity"
    name = "listed"
    type = TOXICITY

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Fail on a text that needs the list while it is not there."""
        loud = pc.match_substring(batch.column("normalised"), "boom")
        if pc.any(loud).as_py() and not WORDS.exists():
            raise FileNotFoundError("the list of words is missing")
        nothing = pa.repeat(pa.scalar(0.0), batch.num_rows)
        fields = [loud.cast(pa.float64()), loud.cast(pa.int32()), nothing, nothing, pa.repeat("", batch.num_rows)]
        return pa.StructArray.from_arrays(fields, fields=list(TOXICITY))
'''


def _event(name: str, ts_ms: int, text: str = "fine", **change: Any) -> bytes:  # noqa: ANN401 - any field
    fields = {"channel_id": "dead:letters", "raw_payload": orjson.dumps({"text": text})} | change
    event = SocialEvent(id=name, source="test", user_id="u", **fields)
    event.ts.FromMilliseconds(ts_ms)
    return event.SerializeToString()


def _run(settings: Settings, *arguments: str) -> dict[str, Any]:
    done = echopulse(settings, "dlq", *arguments, "--json", timeout_s=_DEADLINE_S)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.2)


def _write_events(bootstrap: str, moment: int) -> None:
    """Write good events, three that can be mended, and three that cannot."""
    producer = Producer({"bootstrap.servers": bootstrap})
    good = [_event(name, moment) for name in GOOD]
    loud = [_event(name, moment, f"boom {name}") for name in MENDED[:2]]
    bad = [b"\xff\x00garbage", _event("list", moment, raw_payload=b"[1]"), _event("", moment)]
    for value in (*good, *loud, _event(MENDED[2], moment - 5), *bad):
        producer.produce(EVENTS, value, "dead:letters", timestamp=moment)
    assert producer.flush(_DEADLINE_S) == 0


def test_letters_of_every_stage_are_mended_and_come_through_once(tmp_path: Path) -> None:
    """What a replay can mend is analysed once; what it cannot is named and stays."""
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "listed.py").write_text(STRATEGY, encoding="utf-8")
    settings = own_settings(tmp_path / "home")
    chosen = {"strategies": settings.strategies | {"toxicity": "listed"}, "strategy_paths": [folder]}
    settings = settings.model_copy(update=chosen)
    moment = now_ms() - 60_000
    file = tmp_path / "chat.jsonl"
    file.write_bytes(b'{"id": "cut", \n' + orjson.dumps({"id": "nowhere", "ts": moment, "raw": "{}"}) + b"\n")
    with ExitStack() as opened:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyFlink and Feast warn of their own deprecated parts as they load
            opened.enter_context(planner_ended())
            opened.enter_context(pipeline(settings, lambda _: None, lambda _: None))
        bootstrap = settings.kafka.bootstrap
        start = positions(bootstrap)
        _write_events(bootstrap, moment)
        ingested = echopulse(
            settings, "ingest", "replay", str(file), "--keep-time", "--no-heartbeat", timeout_s=_DEADLINE_S
        )
        assert ingested.returncode == 0, ingested.stderr
        with EventProducer(bootstrap) as events:
            events.heartbeat(Closing().heartbeat_ms(moment))

        _wait_for(lambda: _run(settings, "ls")["waiting"] >= 8, "the dead letters")
        listed = _run(settings, "ls")
        stages = {stage: sum(reasons.values()) for stage, reasons in listed["counts"].items()}
        assert stages == {"analyse": 2, "time": 1, "decode": 1, "extract": 1, "validate": 2, "parse": 1}
        by_id = {row["event_id"]: row for row in listed["letters"]}
        shown = _run(settings, "show", by_id["boom-1"]["id"])
        assert shown["decoded"]["id"] == "boom-1"
        assert "the list of words is missing" in shown["reason"]
        assert _run(settings, "ls", "--channel", "dead:letters", "--stage", "time")["waiting"] == 1

        # Nothing was mended yet: the strategy fails again, and a letter of its own says so.
        assert _run(settings, "replay", "--stage", "analyse")["replayed"] == 2
        _wait_for(lambda: _run(settings, "ls", "--stage", "analyse")["waiting"] == 2, "the second failure")
        assert {row["attempts"] for row in _run(settings, "ls", "--stage", "analyse")["letters"]} == {1}

        (folder / "words.txt").write_text("boom\n", encoding="utf-8")
        outcome = _run(settings, "replay")
        assert (outcome["replayed"], outcome["still_failing"], outcome["done_before"]) == (3, 5, 2)
        assert set(outcome["reasons"]) == {"decode", "extract", "validate", "parse"}
        wanted = {*GOOD, *MENDED}
        _wait_for(lambda: len(results(bootstrap, start)) >= len(wanted), "the results")
        again = _run(settings, "replay")
        assert (again["replayed"], again["still_failing"], again["done_before"]) == (0, 5, 5)
        found = Counter(decode_analysis(message.value() or b"")["event_id"] for message in results(bootstrap, start))
        assert found == Counter(wanted)
        books = audit(bootstrap, start)
        assert (books.analysed, books.dlq, books.repeats, books.unaccounted) == (len(wanted), 10, 0, 0)
    assert left_running(settings.home) == []
