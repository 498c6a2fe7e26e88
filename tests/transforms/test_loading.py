"""Artifacts of any kind."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.artifact import MANIFEST, SHIPPED
from transforms.bag import Bag
from transforms.loading import load_model
from transforms.shedding import parse_shedding

if TYPE_CHECKING:
    from pathlib import Path


def test_once_a_process() -> None:
    """An artifact is opened once."""
    model = load_model(SHIPPED / "default")
    assert isinstance(model, Bag)
    assert load_model(SHIPPED / "default") is model


def test_another_kind(tmp_path: Path) -> None:
    """A kind that nobody can open is told with the near miss."""
    folder = shutil.copytree(SHIPPED / "default", tmp_path / "model")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["kind"] = "bagg"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(EchoPulseError, match=r"no kind of model 'bagg'.*did you mean 'bag'"):
        load_model(folder)


def test_a_cascade_in_a_cascade(tmp_path: Path) -> None:
    """The second model of a cascade scores texts itself; another cascade is refused."""
    folder = shutil.copytree(SHIPPED / "cascade", tmp_path / "model")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["cascade"]["second"] = str(SHIPPED / "cascade")
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(EchoPulseError, match="the second model of a cascade is one of kind 'cascade'"):
        load_model(folder)


def test_only_a_cascade_sheds() -> None:
    """A bag has nothing to shed."""
    with pytest.raises(EchoPulseError, match="a cascade sheds load"):
        load_model(SHIPPED / "default", parse_shedding("/=0.5"))
