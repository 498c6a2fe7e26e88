"""The simulated stream: the same for the same seed, ordered, valid, and as the scenario says."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from echopulse.gateway.scenario import Scenario, load_scenario
from echopulse.gateway.simulator import BATCH_ROWS, ground_truth, simulate
from schemas.arrow import EVENT
from schemas.codec import decode_events, encode_events
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.gateway.simulator_plan import PlantedPhase

START_MS = 1_700_000_000_000


def _run(scenario: Scenario | None = None, **settings: Any) -> pa.Table:  # noqa: ANN401 - passed on
    batches = simulate(scenario or load_scenario(), **{"start_ms": START_MS, **settings})
    return pa.Table.from_batches(list(batches), EVENT)


@pytest.fixture(scope="module")
def cycle() -> pa.Table:
    """One cycle of the default scenario at a third of its rate, with the text as a column."""
    table = _run(seed=3, rate=100, duration_s=600)
    texts = [orjson.loads(payload)["text"] for payload in table["raw_payload"].to_pylist()]
    return table.append_column("text", pa.array(texts)).append_column("ms", table["ts"].cast(pa.int64()))


def _within(cycle: pa.Table, phase: PlantedPhase, channel: str) -> list[dict[str, Any]]:
    ms = cycle["ms"].to_numpy()
    inside = (ms >= phase.start_ms) & (ms < phase.end_ms)
    here = cycle.select(["channel_id", "user_id", "text"]).filter(pa.array(inside))
    rows: list[dict[str, Any]] = here.filter(pc.equal(here["channel_id"], channel)).to_pylist()
    return rows


def _planted(kind: str) -> PlantedPhase:
    return next(p for p in ground_truth(load_scenario(), start_ms=START_MS, duration_s=600) if p.kind == kind)


def test_the_same_seed_gives_the_same_events() -> None:
    """Byte-identical with the same start."""
    assert _run(seed=7, events=20_000).equals(_run(seed=7, events=20_000))


def test_another_start_moves_the_times_only() -> None:
    """Ids, users, texts and offsets stay."""
    here, there = _run(events=5_000), _run(events=5_000, start_ms=START_MS + 12_345)

    offset = np.unique(there["ts"].cast(pa.int64()).to_numpy() - here["ts"].cast(pa.int64()).to_numpy())

    assert offset.tolist() == [12_345]
    assert here.drop_columns(["ts"]).equals(there.drop_columns(["ts"]))


@pytest.mark.parametrize("other", [{"seed": 1}, {"rate": 500.0}])
def test_another_seed_or_rate_shares_no_id(other: dict[str, Any]) -> None:
    """A second run is never taken for repeats of the first."""
    first, second = _run(events=2_000), _run(events=2_000, **other)

    assert not set(first["id"].to_pylist()) & set(second["id"].to_pylist())


def test_ids_are_unique_and_times_ascend_over_cycles() -> None:
    """Through the end of a cycle and beyond."""
    scenario = load_scenario().model_copy(update={"duration_s": 3.0, "phases": []})

    table = _run(scenario, duration_s=10, rate=2_000)

    times = table["ts"].cast(pa.int64()).to_pylist()
    assert len(set(table["id"].to_pylist())) == table.num_rows
    assert all(a <= b for a, b in pairwise(times))
    assert times[0] >= START_MS
    assert START_MS + 9_000 < times[-1] < START_MS + 10_000


@pytest.mark.parametrize("rate", [1.0, 1_000.0, 2_000_000.0])
def test_batches_are_bounded(rate: float) -> None:
    """No batch is empty or larger than its limit, and the number of events is met exactly."""
    rows = [
        batch.num_rows for batch in simulate(load_scenario(), start_ms=0, rate=rate, events=30_000 if rate > 1 else 50)
    ]

    assert sum(rows) == (30_000 if rate > 1 else 50)
    assert 0 < min(rows) <= max(rows) <= BATCH_ROWS


def test_the_rate_is_the_mean_over_a_cycle() -> None:
    """Within five standard deviations of a Poisson count."""
    expected = 100 * 600

    assert abs(_run(rate=100, duration_s=600).num_rows - expected) < 5 * expected**0.5


def test_events_survive_the_wire() -> None:
    """The batches are in schema EVENT and decode to themselves."""
    batch = next(simulate(load_scenario(), start_ms=START_MS, rate=20_000))
    batch.validate(full=True)

    decoded = decode_events(encode_events(batch))

    assert decoded.bad_rows == []
    assert decoded.events.drop_columns(["metadata"]).equals(batch.drop_columns(["metadata"]))


def test_payloads_are_json_with_one_text(cycle: pa.Table) -> None:
    """Quotes, backslashes and emoji are escaped or kept; nothing is left of a template."""
    texts = cycle["text"].to_pylist()

    assert any('"' in text for text in texts)
    assert any("\\" in text for text in texts)
    assert any("🔥" in text for text in texts)
    assert not any("{" in text for text in texts)
    assert len(set(texts)) > 10_000


def test_kinds_and_languages_are_told(cycle: pa.Table) -> None:
    """Every kind appears, silent ones have no text, languages are the channels'."""
    rows = cycle.select(["channel_id", "text", "metadata"]).to_pylist()
    kinds = Counter(dict(row["metadata"])["kind"] for row in rows)

    assert set(kinds) == {"message", "reaction", "join", "edit", "delete"}
    assert kinds["message"] > 0.9 * len(rows)
    for row in rows:
        assert (row["text"] == "") == (dict(row["metadata"])["kind"] in {"join", "delete"})
    spoken = {(row["channel_id"], dict(row["metadata"])["language"]) for row in rows}
    assert spoken == {(channel.id, channel.language) for channel in load_scenario().channels}


def test_users_are_unequally_active(cycle: pa.Table) -> None:
    """The most active tenth of a channel's speakers send more than half."""
    users = cycle.filter(pc.equal(cycle["channel_id"], "x-politics"))["user_id"].to_pylist()
    counts = sorted(Counter(users).values(), reverse=True)

    assert sum(counts[: len(counts) // 10]) > sum(counts) / 2


def test_moods_differ(cycle: pa.Table) -> None:
    """An insult is far more frequent where the scenario says so."""
    insults = ("clown", "idiot", "loser", "moron", "fraud", "coward", "liar")
    share = {}
    for channel in ("x-politics", "slack-launch"):
        texts = cycle.filter(pc.equal(cycle["channel_id"], channel))["text"].to_pylist()
        share[channel] = sum(any(word in text for word in insults) for text in texts) / len(texts)

    assert share["x-politics"] > 5 * share["slack-launch"]


def test_a_raid_brings_new_users_with_like_texts(cycle: pa.Table) -> None:
    """Hundreds of accounts seen nowhere else; few templates."""
    phase = _planted("raid")
    raiders = [row for row in _within(cycle, phase, "twitch-cozy") if row["user_id"] in set(phase.accounts)]
    everywhere = [user for user in cycle["user_id"].to_pylist() if user in set(phase.accounts)]

    assert len(raiders) == len(everywhere)
    assert len({row["user_id"] for row in raiders}) > 500
    assert len(raiders) > 1_500
    assert all("raid" in row["text"].lower() or "owl" in row["text"].lower() for row in raiders)


def test_spam_is_few_users_repeating_themselves(cycle: pa.Table) -> None:
    """Six accounts, two texts."""
    phase = _planted("spam")
    spam = [row for row in _within(cycle, phase, "discord-rustaceans") if row["user_id"] in set(phase.accounts)]

    assert len({row["user_id"] for row in spam}) == 6
    assert len({row["text"] for row in spam}) == 2
    assert len(spam) > 150


def test_a_brigade_is_after_its_target(cycle: pa.Table) -> None:
    """Most of its messages name the target."""
    phase = _planted("brigading")
    sent = [row for row in _within(cycle, phase, "x-politics") if row["user_id"] in set(phase.accounts)]

    assert sum("Mira Plays" in row["text"] for row in sent) > 0.7 * len(sent)


def test_a_trend_rises_in_several_channels(cycle: pa.Table) -> None:
    """The hashtag is absent before, rare at first, frequent at the end, and gone afterwards."""
    phase = _planted("trend")
    tagged = np.array(["#OneLinePoem" in text for text in cycle["text"].to_pylist()])
    ms = cycle["ms"].to_numpy()[tagged]
    thirds = np.histogram(ms, np.linspace(phase.start_ms, phase.end_ms, 4))[0]

    assert thirds.sum() == len(ms)
    assert thirds[0] < thirds[1] < thirds[2]
    assert set(cycle.filter(pa.array(tagged))["channel_id"].to_pylist()) == set(phase.channels)


def test_calm_lowers_the_rate() -> None:
    """A calm phase multiplies the rate of its channel."""
    document = {
        "name": "n",
        "duration": 100,
        "channels": [{"id": "a", "platform": "x", "rate": 100, "entities": ["e"], "hashtags": ["#h"]}],
        "phases": [{"kind": "calm", "channels": "a", "from": 0, "until": 50, "factor": 0.1}],
    }

    ms = _run(Scenario.model_validate(document), duration_s=100, start_ms=0)["ts"].cast(pa.int64()).to_numpy()

    assert 400 < (ms < 50_000).sum() < 600
    assert 4_600 < (ms >= 50_000).sum() < 5_400


def test_own_messages_replace_the_vocabulary() -> None:
    """A phase's messages take the scenario's slots too."""
    document = load_scenario().model_dump(by_alias=True)
    document["phases"] = [
        {"kind": "raid", "channels": "twitch-cozy", "from": 0, "until": 10, "messages": ["we love {entity}"]},
    ]

    table = _run(Scenario.model_validate(document), duration_s=10)

    raid = [row for row in table.to_pylist() if row["user_id"].startswith("raid0-")]
    assert raid
    assert all(orjson.loads(row["raw_payload"])["text"].startswith("we love ") for row in raid)


def test_ground_truth_covers_every_cycle_and_ends_with_the_run() -> None:
    """Phases repeat, and the last is cut."""
    truth = ground_truth(load_scenario(), start_ms=START_MS, duration_s=720)

    hype = [
        (p.start_ms - START_MS, p.end_ms - START_MS) for p in truth if "twitch-arena" in p.channels and p.kind == "hype"
    ]
    raid = [(p.start_ms - START_MS, p.end_ms - START_MS) for p in truth if p.kind == "raid"]

    assert hype == [(30_000, 80_000), (630_000, 680_000)]
    assert raid == [(110_000, 160_000), (710_000, 720_000)]
    assert [p.start_ms for p in truth] == sorted(p.start_ms for p in truth)


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"events": -1}, {"duration_s": 0}, {"rate": float("inf")}])
def test_a_limit_must_be_above_zero(wrong: dict[str, Any]) -> None:
    """The value is named."""
    with pytest.raises(EchoPulseError, match="must be above 0 and finite, found"):
        _run(**wrong)


def test_a_template_that_cannot_be_filled_is_refused() -> None:
    """The slot and the near miss are named."""
    document = load_scenario().model_dump(by_alias=True)
    document["phases"][0]["messages"] = ["{entty}"]

    with pytest.raises(EchoPulseError, match="did you mean 'entity'"):
        _run(Scenario.model_validate(document), events=1)
