"""Rounds of calls that take turns."""

from __future__ import annotations

import pyarrow as pa

from bench.measure import Cost
from bench.rounds import answer_all, interleaved, per_core
from transforms.artifact import find_artifact
from transforms.loading import load_model


def test_calls_take_turns() -> None:
    """One of each in a round, in order."""
    seen: list[str] = []
    costs = interleaved({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 2)
    assert seen == ["a", "b", "a", "b"]
    assert {name: len(runs) for name, runs in costs.items()} == {"a": 2, "b": 2}


def test_a_turn_may_be_several_calls_the_first_uncounted() -> None:
    """A call after one of another kind may cost more than those after it."""
    seen: list[str] = []
    costs = interleaved({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 2, together=2, warm=True)
    assert seen == ["a", "a", "a", "b", "b", "b"] * 2
    assert {name: len(runs) for name, runs in costs.items()} == {"a": 4, "b": 4}


def test_rates_are_by_cpu_time() -> None:
    """The wall does not count."""
    assert per_core("x", 10, [Cost(wall=100.0, cpu=2.0)]).median == 5.0


def test_answers_for_every_task() -> None:
    """All tasks of a model, a row each."""
    model = load_model(find_artifact("default"))
    answers = answer_all(model, pa.array(["so good", "so bad"]))
    assert set(answers) == set(model.manifest.tasks)
    assert {len(answer.chosen) for answer in answers.values()} == {2}
