"""A challenger in shadow in the job: its results beside the champion's, and what is told of them and of one event."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from echopulse import stack
from echopulse.registry.lineage import opened_lineage
from echopulse.registry.results import results_of
from echopulse.registry.shadow import seen_in_shadow
from tests.system.chat import conversation, write_jsonl
from tests.system.expected import scored
from tests.system.own_stack import echopulse, left_running, own_settings
from transforms.artifact import MANIFEST, SHIPPED, file_digest
from transforms.challenger import write_challenger
from transforms.timeline_file import artifact_folder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(900)]

START_MS = 1_700_000_000_000


def _stricter(folder: Path) -> str:
    """Put an artifact into the follower's folder that calls toxic what is half as likely; return its digest."""
    made = folder / "made"
    shutil.copytree(SHIPPED / "default", made)
    document = json.loads((made / MANIFEST).read_bytes())
    document["tasks"]["toxicity"]["threshold"] /= 2
    (made / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
    digest = file_digest(made / MANIFEST)
    made.rename(artifact_folder(folder, digest))
    return digest


def test_a_challenger_beside_the_champion(tmp_path: Path) -> None:
    """It says more toxic than the champion, on the same events; nothing else changes."""
    settings = own_settings(tmp_path / "home")
    models = tmp_path / "models"
    models.mkdir()
    digest = _stricter(models)
    write_challenger(models, "toxicity", digest)
    shadow = {
        "shadow": {"toxicity": ["challenger"], "sentiment": ["challenger"]},
        "strategy_options": {f"{kind}/challenger": {"timeline": str(models)} for kind in ("toxicity", "sentiment")},
    }
    (tmp_path / "my.yaml").write_text(json.dumps(shadow), encoding="utf-8")
    events = conversation("challenged", START_MS, minutes=2, count=1_000, seed=5)
    path = write_jsonl(tmp_path / "chat.jsonl", events)
    done = echopulse(
        settings, "--config", "my.yaml", "up", "--replay", str(path), "--until-idle", "--json", timeout_s=600
    )
    assert done.returncode == 0, done.stderr
    report, wanted = json.loads(done.stdout), scored(events)
    known = wanted[wanted["model_toxicity"].str.startswith("sha256:")]
    assert (report["analysed"], report["unaccounted"]) == (len(wanted), 0)
    with stack.up(settings, lambda _: None):
        seen = seen_in_shadow(settings, "toxicity", digest, 10_000)
        one = seen["samples"][0]
        with opened_lineage(settings) as lineage:
            (event,) = [lineage.of_result(result) for result in results_of(settings, one["event_id"])]
    assert left_running(settings.home) == []
    # Nobody is challenger of sentiment, so nothing was said of it; of a text in another language it abstains.
    assert report["shadow"] == (wanted["model_toxicity"] != "").sum()
    assert seen["events"] == len(known)
    actioned = seen["would_have_actioned"]
    assert actioned["champion"] == actioned["both"] == known["toxic"].sum()
    assert actioned["model"] > actioned["champion"]
    assert seen["agreement"] == 1 - (actioned["model"] - actioned["both"]) / len(known)
    assert all(cost > 0 for cost in seen["ms_per_thousand"].values())
    texts = wanted.set_index(["channel_id", "event_id"])["text"]
    assert [sample["text"] for sample in seen["samples"]] == [
        texts[sample["channel_id"], sample["event_id"]] for sample in seen["samples"]
    ]
    assert (event["channel_id"], event["ts_ms"]) == (one["channel_id"], one["ts_ms"])
    assert event["models"]["toxicity"]["said_by"] == file_digest(SHIPPED / "default" / MANIFEST)
    assert {file["name"] for file in event["models"]["toxicity"]["chain"][0]["files"]} >= {"hate.train.parquet"}
    print("in shadow:", seen["ms_per_thousand"], "ms a thousand texts")  # noqa: T201 - a figure, not a limit
