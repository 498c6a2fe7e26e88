"""Strategies found and opened: active ones, those in shadow, and their options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.selection import DEFAULT_STRATEGIES, Selection

if TYPE_CHECKING:
    from pathlib import Path

_OWN = """
import pyarrow as pa
from transforms.strategy import Strategy

class Own(Strategy):
    kind, name, type = "cluster", "{name}", pa.string()

    def open(self, context):
        self.options = dict(context.options)
        self.beside = context.another(self.options["beside"]) if "beside" in self.options else None

    def analyze(self, batch):
        return pa.array([self.name] * batch.num_rows, pa.string())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two strategies of a user's own."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(_OWN.format(name=name))
    return tmp_path


def test_the_defaults() -> None:
    """One strategy for each kind, none in shadow."""
    active, shadow = Selection().open()
    assert {kind.name: strategy.name for kind, strategy in active} == DEFAULT_STRATEGIES
    assert shadow == []


def test_options_of_a_kind_and_of_one_strategy(folder: Path) -> None:
    """Those of the strategy go before those of its kind; another of the kind can be opened beside it."""
    options = {"cluster": {"a": "1", "b": "1"}, "cluster/two": {"b": "2", "beside": "signature"}}
    active, shadow = Selection({"cluster": "one"}, (folder,), options=options, shadow={"cluster": ["two"]}).open()
    one = next(strategy for kind, strategy in active if kind.name == "cluster")
    ((_, two),) = shadow
    assert vars(one)["options"] == {"a": "1", "b": "1"}
    assert vars(two)["options"] == {"a": "1", "b": "2", "beside": "signature"}
    assert vars(two)["beside"].name == "signature"


@pytest.mark.parametrize(
    ("shadow", "told"),
    [
        ({"cluster": ["on"]}, "did you mean 'one'"),
        ({"cluster": ["signature"]}, "is the active strategy for cluster"),
        ({"spam": ["first"]}, "'first' for spam has no active strategy to stand beside"),
    ],
)
def test_a_shadow_that_cannot_be(folder: Path, shadow: dict[str, list[str]], told: str) -> None:
    """Unknown, the active one itself, or beside nobody."""
    with pytest.raises(EchoPulseError, match=told):
        Selection(paths=(folder,), shadow=shadow).open()
