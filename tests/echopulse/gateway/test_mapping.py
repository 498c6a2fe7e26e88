"""The written mapping: packaged ones load, wrong ones are refused with file, key and near miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.mapping import load_mapping
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_SMALL = {"source": "s", "id": "id", "ts": "t", "channel": "c", "user": "u"}


def _refused(tmp_path: Path, **changes: str) -> str:
    path = tmp_path / "m.yaml"
    path.write_text(
        "\n".join(f"{key}: {value}" for key, value in (_SMALL | changes).items() if value), encoding="utf-8"
    )
    with pytest.raises(EchoPulseError) as refusal:
        load_mapping(str(path))
    return str(refusal.value).replace(str(path), "m.yaml")


@pytest.mark.parametrize("name", ["bluesky", "wikimedia", "mastodon"])
def test_packaged_mappings_load_by_name(name: str) -> None:
    """Each names its source."""
    assert load_mapping(name).source == name


def test_a_path_alone_is_a_value(tmp_path: Path) -> None:
    """`id: a.b` is short for `id: {path: a.b}`."""
    path = tmp_path / "m.yaml"
    path.write_text("{source: s, id: a.b, ts: t, channel: c, user: u}")

    mapping = load_mapping(str(path))

    assert (mapping.id.path, mapping.ts.format) == (("a", "b"), "iso")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"chanel": "x"}, "m.yaml: unknown key chanel (did you mean 'channel'?)"),
        ({"user": ""}, "m.yaml: user is missing (add it to the top level)"),
        ({"user": "a..b"}, "m.yaml: user.path: path 'a..b' goes wrong at character 2"),
        ({"id": "{path: a, constant: b}"}, "m.yaml: id: exactly one of path, constant, template, paths is needed"),
        ({"user": "{defualt: a}"}, "m.yaml: unknown key user.defualt (did you mean 'default'?)"),
        ({"ts": "{path: t, format: us_}"}, "(did you mean 'us'?)"),
        (
            {"when": "[{path: a}]"},
            "m.yaml: when[0]: exactly one of equals, in, not_in, exists is needed, there is none",
        ),
        ({"metadata": "{kind: {template: '{a'}}"}, "m.yaml: metadata.kind.template: template '{a' has a brace"),
        ({"text": "a", "metadata": "{text: b}"}, "text and metadata.text are both given"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    """One line with the key, the value and what was probably meant."""
    assert expected in _refused(tmp_path, **changes)


def test_an_unknown_name_has_a_near_miss() -> None:
    """Packaged names are offered."""
    with pytest.raises(EchoPulseError, match=r"no mapping 'blueski': .*did you mean 'bluesky'\?"):
        load_mapping("blueski")
