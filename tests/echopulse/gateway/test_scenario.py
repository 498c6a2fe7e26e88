"""The written scenario: read, checked, refused with the key, the value and the near miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.scenario import load_scenario
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_SMALL = """
name: small
duration: 60
channels:
  - {id: a, platform: twitch, entities: [Celeste], hashtags: ["#run"]}
"""


def _refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EchoPulseError) as refusal:
        load_scenario(path)
    return str(refusal.value).replace(str(path), "scenario.yaml")


def test_the_default_plants_every_kind_of_phase() -> None:
    """The packaged scenario shows each kind."""
    kinds = {phase.kind for phase in load_scenario().phases}

    assert kinds == {"calm", "hype", "raid", "brigading", "spam", "trend"}


def test_a_file_is_read(tmp_path: Path) -> None:
    """What is left out has its default."""
    path = tmp_path / "scenario.yaml"
    path.write_text(_SMALL)

    channel = load_scenario(path).channel("a")

    assert (channel.language, channel.population, channel.rate) == ("en", 1_000, 10.0)


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("chanels: []", "scenario.yaml: unknown key chanels (did you mean 'channels'?)"),
        (
            "phases: [{kind: raidd, channels: a, from: 0, until: 1}]",
            (
                "scenario.yaml: phases[0].kind: Input should be 'calm', 'hype', 'raid', 'brigading', 'spam' or "
                "'trend', "
                "found 'raidd' (did you mean 'raid'?)"
            ),
        ),
        (
            "phases: [{kind: raid, chanels: a, from: 0, until: 1, channels: a}]",
            "scenario.yaml: unknown key phases[0].chanels (did you mean 'channels'?)",
        ),
        (
            "phases: [{kind: raid, from: 0, until: 1}]",
            "scenario.yaml: phases[0].channels is missing (add it to phases[0])",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path: Path, added: str, expected: str) -> None:
    """The message holds the place, the value and what was probably meant."""
    assert _refused(tmp_path, _SMALL + added) == expected


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("{kind: raid, channels: aa, from: 0, until: 1}", "phases[0].channels: no channel 'aa'; did you mean 'a'?"),
        ("{kind: raid, channels: a, from: 0, until: 61}", "phases[0].until is 61, after the end of the cycle (60)"),
        ("{kind: raid, channels: a, from: 9, until: 9}", "until (9) must come after from (9)"),
        ("{kind: trend, channels: a, from: 0, until: 9}", "a trend phase needs a hashtag"),
        ("{kind: brigading, channels: a, from: 0, until: 9}", "a brigading phase needs a target"),
    ],
)
def test_a_phase_that_does_not_fit_is_refused(tmp_path: Path, phase: str, expected: str) -> None:
    """Phases are held against the channels, the cycle and their own kind."""
    assert expected in _refused(tmp_path, f"{_SMALL}phases: [{phase}]")


def test_a_missing_file_has_a_near_miss(tmp_path: Path) -> None:
    """A misspelt file name is told beside its neighbour."""
    (tmp_path / "raid.yaml").write_text(_SMALL)

    with pytest.raises(EchoPulseError, match=r"rade\.yaml cannot be read: .*did you mean 'raid\.yaml'\?"):
        load_scenario(tmp_path / "rade.yaml")


@pytest.mark.parametrize(
    ("text", "expected"), [("", "found nothing"), ("[1]", "found a list"), ("a: [", "is not YAML")]
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """An empty file, a list and broken YAML are told apart."""
    assert expected in _refused(tmp_path, text)
