"""What a model became of each of its tasks, in a real MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import main
from echopulse.registry.opening import opened_store
from echopulse.registry.registration import Registered, register
from echopulse.registry.timeline import Step
from echopulse.settings_sections import Tracking
from schemas.errors import EchoPulseError
from tests.echopulse.registry.conftest import renamed
from transforms.artifact import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from echopulse.registry.store import ModelStore
    from echopulse.settings import Settings

EXPERIMENT = "registration"


@pytest.fixture(scope="module")
def store(mlflow: Settings) -> Iterator[ModelStore]:
    """The registry."""
    tracking = Tracking(uri=mlflow.tracking.uri, experiment=EXPERIMENT)
    with opened_store(mlflow.model_copy(update={"tracking": tracking})) as opened:
        yield opened


def test_from_challenger_to_champion(
    store: ModelStore,
    mlflow: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It stands against nobody, then takes a challenger's place, then is the champion itself; each is said."""
    (one, first), (two, second) = (renamed(SHIPPED / "default", tmp_path / name) for name in ("one", "two"))
    assert register(store, one, ["stance"]) == (first, [Registered("stance", "challenger", "", "")])
    assert register(store, one, ["stance", "stance"]) == (first, [Registered("stance", "challenger", "", "")])
    assert register(store, two, ["stance"]) == (second, [Registered("stance", "challenger", "", first)])
    entry = store.entry("stance", second)
    store.append(entry, Step(0, 0, second, 0, "promotion"))
    store.unpoint("stance", "challenger")
    assert register(store, two, ["stance"]) == (second, [Registered("stance", "champion", second, "")])
    monkeypatch.setenv("ECHOPULSE_TRACKING__URI", mlflow.tracking.uri)
    monkeypatch.setenv("ECHOPULSE_TRACKING__EXPERIMENT", EXPERIMENT)
    monkeypatch.setenv("ECHOPULSE_HOME", str(mlflow.home))
    three, third = renamed(SHIPPED / "default", tmp_path / "three")
    said = []
    for folder in (one, three, two):
        assert main(["registry", "register", str(folder), "stance"]) == 0
        said.append(capsys.readouterr().out)
    against = f"the champion is {second[:19]}"
    assert said == [
        f"stance@{first}: challenger; {against}\n",
        f"stance@{third}: challenger in the place of {first[:19]}; {against}\n",
        f"stance@{second}: the champion, as before\n",
    ]
    # Champion of a task whose timeline no strategy goes by: the job would go on as before, and that is said.
    gates = tmp_path / "gates.yaml"
    gates.write_text("stance: {size: {ceiling_mib: 128}}", encoding="utf-8")
    monkeypatch.setenv("ECHOPULSE_REGISTRY__GATES", str(gates))
    assert main(["registry", "promote", "stance@challenger"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"stance@{third} is the champion from ")
    assert told.err.splitlines()[1].startswith("the job goes on with what the settings name: strategy_options.stance.")
    monkeypatch.setenv("ECHOPULSE_STRATEGY_OPTIONS", '{"stance": {"timeline": "/models"}}')
    assert main(["registry", "promote", f"stance@{first}"]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_task_that_it_lacks(store: ModelStore) -> None:
    """Nothing is registered then."""
    before = store.tasks()
    with pytest.raises(EchoPulseError) as error:
        register(store, SHIPPED / "default", ["toxicity", "sentimant"])
    assert str(error.value) == "model 'default' has no task 'sentimant' (did you mean 'sentiment'?)"
    assert store.tasks() == before
