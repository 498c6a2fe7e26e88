"""Gates on small models of real texts: which they refuse, and that they refuse nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from echopulse.job import topic_reader
from echopulse.registry.gates.calibration import Calibration
from echopulse.registry.gates.cost import Latency, Size
from echopulse.registry.gates.evasion import Evasion
from echopulse.registry.gates.fairness import GroupFalsePositives
from echopulse.registry.gates.gate import Case
from echopulse.registry.gates.quality import Quality, paired_difference
from echopulse.registry.gates.shadow import ShadowAgreement
from echopulse.settings import Settings
from echopulse.settings_sections import Kafka
from echopulse.training.metrics import METRICS, confusion
from schemas.errors import EchoPulseError
from transforms.loading import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def judged(real: Path, sound: Path, tmp_path: Path) -> dict[str, Case]:
    """The sound model as the champion's follower, with itself as the champion."""
    settings = Settings(home=tmp_path)
    model = load_model(sound)
    return {task: Case(task, model, sound, model, real, settings) for task in ("sentiment", "toxicity", "hate")}


def other(case: Case, folder: Path) -> Case:
    """The same case about another model."""
    return Case(case.task, load_model(folder), folder, case.champion, case.data, case.settings)


def test_shuffled_labels_fail_by_quality(judged: dict[str, Case], shuffled: Path) -> None:
    """Against the champion, and where there is none against the floor; the sound model passes both."""
    gate = Quality(margin=1.0, floor=45)
    assert gate.check(judged["sentiment"]).passed
    worse = other(judged["sentiment"], shuffled)
    found = gate.check(worse)
    assert not found.passed
    assert "is below 45" in found.told
    found = Quality(margin=1.0).check(worse)
    assert not found.passed
    assert "against the champion, at the least -" in found.told
    assert found.numbers["low"] < found.numbers["difference"] < -10
    alone = Case("sentiment", worse.model, shuffled, None, worse.data, worse.settings)
    assert not gate.check(alone).passed
    assert Quality().check(alone).told.endswith("there is no champion to compare with")


def test_a_bias_against_groups_fails_by_its_gate(judged: dict[str, Case], biased: Path) -> None:
    """Though its quality on the labelled rows is that of the sound one."""
    gate = GroupFalsePositives(ceiling=30)
    assert gate.check(judged["toxicity"]).passed
    found = gate.check(other(judged["toxicity"], biased))
    assert not found.passed
    assert "taken for toxic; the ceiling is 30" in found.told
    assert Quality(margin=5.0).check(other(judged["toxicity"], biased)).passed


def test_a_group_gate_says_where_it_means_nothing(judged: dict[str, Case]) -> None:
    """Stance has no false positives of that sort."""
    case = judged["hate"]
    stance = Case("stance", case.model, case.folder, None, case.data, case.settings)
    with pytest.raises(EchoPulseError, match="says nothing of stance"):
        GroupFalsePositives(ceiling=1).check(stance)


@pytest.mark.parametrize("task", ["sentiment", "hate"])
def test_limits_on_both_sides(judged: dict[str, Case], task: str) -> None:
    """Each gate passes the sound model under a wide limit and refuses it under one that nothing meets."""
    for wide, narrow in (
        (Calibration(ceiling=0.3), Calibration(ceiling=1e-6)),
        (Latency(texts=64, ceiling_ms=60_000), Latency(texts=64, ceiling_ms=1e-6)),
        (Size(ceiling_mib=64), Size(ceiling_mib=0.01)),
        (Evasion(rows=400, ceiling_loss=100), Evasion(rows=400, ceiling_loss=1e-6)),
    ):
        assert wide.check(judged[task]).passed
        refused = narrow.check(judged[task])
        assert not refused.passed
        assert refused.numbers
        assert "the ceiling" in refused.told


def test_without_rows_a_gate_cannot_run(judged: dict[str, Case], tmp_path: Path) -> None:
    """A split that is not there, an unknown one, an empty folder."""
    case = judged["sentiment"]
    with pytest.raises(EchoPulseError, match="has no test rows for sentiment"):
        Quality(split="test").check(case)
    with pytest.raises(EchoPulseError, match="no split 'vla'"):
        Quality(split="vla").check(case)
    with pytest.raises(EchoPulseError, match="has no val rows"):
        Quality().check(Case("sentiment", case.model, case.folder, None, tmp_path / "none", case.settings))


def test_shadow_without_kafka_cannot_run(judged: dict[str, Case], monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is away is told."""
    monkeypatch.setattr(topic_reader, "_TIMEOUT_S", 1)
    case = judged["sentiment"]
    away = case.settings.model_copy(update={"kafka": Kafka(bootstrap="127.0.0.1:1")})
    with pytest.raises(EchoPulseError, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        ShadowAgreement(events=10, least=0.8).check(Case("sentiment", case.model, case.folder, None, case.data, away))


@pytest.mark.parametrize("metric", list(METRICS))
def test_a_paired_difference_is_that_of_resampled_rows(metric: str) -> None:
    """The multinomial of cells is the bootstrap of rows, to within its own noise."""
    generator = np.random.default_rng(3)
    gold = generator.integers(0, 3, 500)
    own = np.where(generator.random(500) < 0.7, gold, generator.integers(0, 3, 500))
    theirs = np.where(generator.random(500) < 0.6, gold, own)

    def difference(rows: NDArray[np.int64]) -> float:
        each = (METRICS[metric](confusion(gold[rows], said[rows], 3)) for said in (own, theirs))
        return float(next(each)) - float(next(each))

    low, found = paired_difference(metric, gold, own, theirs, 3)
    assert found == pytest.approx(difference(np.arange(500)))
    naive = [difference(generator.integers(0, 500, 500)) for _ in range(1_000)]
    assert low == pytest.approx(float(np.percentile(naive, 2.5)), abs=1.0)
