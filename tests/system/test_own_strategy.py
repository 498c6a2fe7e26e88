"""Strategies of a user's own, as docs/strategies.md has them: checked, active and in shadow, seen in the topics."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from echopulse import stack
from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas.avro import decode_analysis, decode_shadow
from schemas.topics import ANALYSIS, SHADOW
from tests.system.chat import conversation, write_jsonl
from tests.system.expected import scored
from tests.system.own_stack import echopulse, environment, left_running, own_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.settings import Settings

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(900)]

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"
START_MS = 1_700_000_000_000
EVENTS = 1_000
MOST_LINES = 100


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _script() -> str:
    return next(block for block in _blocks("python") if "read_batches" in block)


def _write_folder(folder: Path) -> None:
    """Lay out what the page tells a reader to: two strategies, and settings with one active and one in shadow."""
    (folder / "my_strategies").mkdir()
    for block in _blocks("python"):
        for name in ("word_list", "question"):
            if f'"{name}"' in block:
                assert len(block.splitlines()) < MOST_LINES
                (folder / "my_strategies" / f"{name}.py").write_text(block, encoding="utf-8")
    documents = [yaml.safe_load(block) for block in _blocks("yaml")]
    shadowed = next(document for document in documents if "shadow" in document)
    own_kind = next(document for document in documents if "question" in document.get("strategies", {}))
    (folder / "my.yaml").write_text(yaml.safe_dump(shadowed | own_kind), encoding="utf-8")


def test_a_file_in_a_folder_runs_in_the_job(tmp_path: Path) -> None:
    """Checked, then active in a kind of its own and in shadow for toxicity; both are named in what comes out."""
    settings = own_settings(tmp_path / "home")
    _write_folder(tmp_path)
    for name, told in (("word_list", "toxicity/word_list"), ("question", "question/mark")):
        checked = echopulse(settings, "pipeline", "check-strategy", f"my_strategies/{name}.py", timeout_s=120)
        assert (checked.returncode, checked.stdout) == (0, f"{told}: conforms\n"), checked.stderr

    events = conversation("own", START_MS, minutes=2, count=EVENTS, seed=5)
    path = write_jsonl(tmp_path / "chat.jsonl", events)
    done = echopulse(
        settings, "--config", "my.yaml", "up", "--replay", str(path), "--until-idle", "--json", timeout_s=600
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    wanted = scored(events)
    spoken = wanted[wanted["model_cluster"] != ""]
    assert (report["analysed"], report["dlq"], report["unaccounted"]) == (len(wanted), 0, 0)
    assert report["shadow"] == len(spoken)
    # The model knows English; which texts are in another language the identification says.
    assert report["abstained"].keys() <= {"sentiment", "toxicity"}
    assert left_running(settings.home) == []

    with stack.up(settings, lambda _: None):
        results = _read(settings, ANALYSIS, decode_analysis)
        said = _read(settings, SHADOW, decode_shadow)
        printed = subprocess.run(
            [sys.executable, "-c", _script()],
            env=environment(settings),
            cwd=tmp_path,
            timeout=120,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
    assert left_running(settings.home) == []
    assert len(printed) == len(results) + len(said)
    assert len(results) == len(wanted)

    for result in results:
        assert result["models"].get("question") == ("strategy:mark" if result["models"].get("cluster") else None)
        assert ("question" in result["scores"]) == ("cluster" in result["models"])
        assert "strategy:word_list" not in result["models"].values()
    assert any(result["scores"].get("question") == 1 for result in results)

    by_key = {(result["channel_id"], result["event_id"]): result for result in results}
    assert len(said) == len(spoken) == len({(word["channel_id"], word["event_id"]) for word in said})
    for word in said:
        active = by_key[word["channel_id"], word["event_id"]]
        assert (word["kind"], word["strategy"], word["model"]) == ("toxicity", "word_list", "strategy:word_list")
        assert word["active_score"] == active["toxicity"]
        assert word["ts"] == active["ts"]
        assert word["label"] == ("toxic" if word["score"] else "not_toxic")
    assert {word["label"] for word in said} == {"toxic", "not_toxic"}


def _read(settings: Settings, topic: str, decode: Callable[[bytes], dict[str, Any]]) -> list[dict[str, Any]]:
    bootstrap = settings.kafka.bootstrap
    batches = read_batches(bootstrap, Position(topic, {}), end_position(bootstrap, topic))
    return [decode(message.value() or b"") for batch in batches for message in batch]
