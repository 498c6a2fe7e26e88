"""Models as people name them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from echopulse.registry.opening import Reference, model_folder, no_challenger, opened_store, parse_reference
from echopulse.registry.timeline import Step, fold
from echopulse.settings import Settings
from echopulse.stack import run_file
from echopulse.stack.processes import own_record
from schemas.errors import EchoPulseError
from transforms.artifact import SHIPPED, read_manifest

if TYPE_CHECKING:
    from pathlib import Path


def test_references() -> None:
    """A digest's prefix and both aliases."""
    assert parse_reference("sentiment@sha256:abcd") == Reference("sentiment", "sha256:abcd")
    assert str(parse_reference("hate@champion")) == "hate@champion"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hate", "'hate' names no model of the registry (hate@champion, hate@challenger or hate@sha256:PREFIX)"),
        (
            "@champion",
            "'@champion' names no model of the registry (TASK@champion, TASK@challenger or TASK@sha256:PREFIX)",
        ),
        ("hate@champon", "'champon' is neither a digest nor an alias (did you mean 'champion'?)"),
        ("hate@sha256:abc", "'sha256:abc' is no digest (sha256: and at least four hex digits)"),
        ("hate@sha256:ABCD", "'sha256:ABCD' is no digest (sha256: and at least four hex digits)"),
    ],
)
def test_what_is_none(text: str, told: str) -> None:
    """Each is told with what was meant."""
    with pytest.raises(EchoPulseError) as error:
        parse_reference(text)
    assert str(error.value) == told


def test_a_challenger_that_was_promoted_is_told() -> None:
    """The newest promotion, though it was rolled back since; before any, how to register one."""
    assert str(no_challenger("hate", fold([]))) == "hate has no challenger (echopulse registry register makes one)"
    first, second = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
    steps = [
        Step(1, 0, first, 0, "promotion", written_ms=1_769_774_400_000),
        Step(2, 1, second, 1_769_860_805_000, "promotion", written_ms=1_769_860_800_000),
        Step(3, 2, first, 1_769_860_815_000, "rollback", written_ms=1_769_860_810_000),
    ]
    assert str(no_challenger("hate", fold(steps))) == (
        "hate has no challenger: sha256:bbbbbbbbbbbb was promoted on 2026-01-31 12:00:00 UTC "
        "(`echopulse registry show hate@champion` is the champion, `registry timeline hate` who was)"
    )


def test_without_mlflow_what_ships_is_found_by_its_digest(tmp_path: Path) -> None:
    """Aliases want a registry; a name, a folder and a digest of what ships do not."""
    settings = Settings(home=tmp_path)
    _, digest = read_manifest(SHIPPED / "default")
    assert model_folder(settings, "default") == SHIPPED / "default"
    assert model_folder(settings, f"sentiment@{digest[:15]}") == SHIPPED / "default"
    told = "the registry is kept by MLflow, and there is none (`echopulse up` starts one; tracking.uri names another)"
    with pytest.raises(EchoPulseError) as error:
        model_folder(settings, "sentiment@champion")
    assert str(error.value) == told
    with pytest.raises(EchoPulseError, match="is kept by MLflow"), opened_store(settings):
        pass


def test_a_registry_that_is_being_installed_is_said_to_be(tmp_path: Path) -> None:
    """Not that there is none: `up` has promised it."""
    detail = "being installed (0.8 GB of disk); nothing answers at its address yet"
    absence = run_file.Absence("mlflow", "fetching", detail, own_record(tmp_path))
    run_file.write(tmp_path / "run", [], [absence])
    told = f"the registry is kept by MLflow, which is not there yet: {detail} (`echopulse status` tells when it is)"
    with pytest.raises(EchoPulseError, match=re.escape(told)), opened_store(Settings(home=tmp_path)):
        pass
