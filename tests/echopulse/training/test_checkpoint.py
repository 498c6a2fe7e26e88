"""Classifiers of other people's: what is opened, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Made = Callable[..., Path]

MOODS = ("negative", "neutral", "positive")
pytestmark = pytest.mark.usefixtures("train_extra")


def _open(folder: Path) -> object:
    from echopulse.training.checkpoint import Checkpoint  # noqa: PLC0415 - torch is in the extra `train`
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - as above

    return Checkpoint(find_checkpoint(str(folder), print))


def _changed(folder: Path, copy: Path, **changes: object) -> Path:
    shutil.copytree(folder, copy)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | changes))
    return copy


def test_an_encoder_is_no_classifier() -> None:
    """The weights that the extra installs have no head: weights by chance are not taken for one."""
    from echopulse.training.transformer import base_folder  # noqa: PLC0415 - as above

    with pytest.raises(EchoPulseError, match=r"is no classifier: it lacks the weights 'classifier\.bias'"):
        _open(base_folder(""))


def test_code_of_its_own_is_not_run(checkpoint: Made, tmp_path: Path) -> None:
    """A checkpoint whose network or tokeniser is a file of Python beside it is refused, and the file is not run."""
    ran = tmp_path / "ran"
    folder = _changed(
        checkpoint("bert", MOODS),
        tmp_path / "own",
        model_type="theirs",
        auto_map={"AutoConfig": "theirs.Config", "AutoModelForSequenceClassification": "theirs.Net"},
    )
    (folder / "theirs.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    with pytest.raises(EchoPulseError, match="own cannot be opened: "):
        _open(folder)
    assert not ran.exists()


class _Spiteful:
    """What runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


def test_a_pickle_is_not_run(checkpoint: Made, tmp_path: Path) -> None:
    """Of a pickle of weights tensors alone are read; what else is in it is refused."""
    import torch  # noqa: PLC0415 - in the extra `train`

    folder = shutil.copytree(checkpoint("bert", MOODS), tmp_path / "own")
    (folder / "model.safetensors").unlink()
    torch.save({"classifier.bias": _Spiteful(f"touch {tmp_path / 'ran'}")}, folder / "pytorch_model.bin")
    with pytest.raises(EchoPulseError, match="own cannot be opened: "):
        _open(folder)
    assert not (tmp_path / "ran").exists()


def test_older_weights(checkpoint: Made, tmp_path: Path) -> None:
    """Tensors in a pickle are read as those in safetensors."""
    import torch  # noqa: PLC0415 - in the extra `train`, as the next
    from safetensors.torch import load_file  # noqa: PLC0415

    from echopulse.training.checkpoint import Checkpoint  # noqa: PLC0415

    folder = shutil.copytree(checkpoint("bert", MOODS), tmp_path / "own")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    scored = []
    for place in (folder, checkpoint("bert", MOODS)):
        opened = _open(place)
        assert isinstance(opened, Checkpoint)
        scored.append(opened.scores(["a happy number"], [((0,), ()), ((1,), (0, 2))], opened.reading("written")))
    np.testing.assert_array_equal(scored[0], scored[1])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"problem_type": "regression"}, "gives a number that is no probability: its problem is regression"),
        ({"model_type": "nothing"}, "own cannot be opened: "),
    ],
)
def test_faults(checkpoint: Made, tmp_path: Path, changes: dict[str, object], told: str) -> None:
    """What is no classifier of texts is told in a line."""
    folder = _changed(checkpoint("bert", MOODS), tmp_path / "own", **changes)
    with pytest.raises(EchoPulseError, match=told) as raised:
        _open(folder)
    assert "\n" not in str(raised.value)


def test_columns_of_probabilities() -> None:
    """Log-odds of labels added up against the others, sums, and the one that holds the most."""
    import torch  # noqa: PLC0415 - in the extra `train`

    from echopulse.training.checkpoint import Columns  # noqa: PLC0415 - as above

    def fixed(input_ids: object, attention_mask: object) -> SimpleNamespace:
        del attention_mask
        return SimpleNamespace(logits=input_ids)

    own = torch.tensor([[0.3, -1.0, 2.0, 0.5]])
    chances = torch.softmax(own, dim=1)[0]
    found = Columns(fixed, [((1, 2), (0, 3)), ((0, 3), ())], "softmax")(own, own)[0]
    assert torch.sigmoid(found[0]).item() == pytest.approx((chances[1] + chances[2]).item())
    assert (found[1] - torch.logsumexp(own, dim=1)).exp().item() == pytest.approx((chances[0] + chances[3]).item())
    assert Columns(fixed, [((0, 3), ())], "sigmoid")(own, own).item() == 0.5
