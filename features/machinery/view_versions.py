"""Versions of views: what may change in place, and which older versions stand beside the newer one.

A view's values mean what its declaration says. One that means something else gets another name, `NAME_v2`, `NAME_v3`;
the older version is computed beside it until it is retired, so that whoever reads it can move over in their own time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from features.machinery.view_spec import AggregationSpec, ViewSpec

_VERSIONED = re.compile(r"(?P<stem>.+)_v(?P<number>[1-9][0-9]*)")


def version_of(name: str) -> tuple[str, int]:
    """Return the name without its version, and the version: 1 where the name states none."""
    found = _VERSIONED.fullmatch(name)
    return (found["stem"], int(found["number"])) if found else (name, 1)


def next_version(name: str) -> str:
    """Return the name of the version after this one."""
    stem, number = version_of(name)
    return f"{stem}_v{number + 1}"


def standing(registered: Iterable[str], declared: Iterable[str]) -> list[str]:
    """Return the registered views that are not declared any more and of which a newer version is, by name."""
    names = set(declared)
    newest: dict[str, int] = {}
    for name in names:
        stem, number = version_of(name)
        newest[stem] = max(number, newest.get(stem, 0))
    return sorted(name for name in set(registered) - names if version_of(name)[1] < newest.get(version_of(name)[0], 0))


def incompatible(old: ViewSpec, new: ViewSpec) -> str:
    """Say what makes values of two declarations of a view differ in meaning, '' where nothing does.

    What is added beside the rest, and another time to live, do not.
    """
    return next(_changes(old, new), "")


def _changes(old: ViewSpec, new: ViewSpec) -> Iterator[str]:
    old_keys, new_keys = ([f"{key.name} {key.type}" for key in view.join_keys] for view in (old, new))
    if old_keys != new_keys:
        yield f"its keys were {', '.join(old_keys)} and are {', '.join(new_keys)}"
    if old.filter != new.filter:
        yield f'its filter was "{old.filter}" and is "{new.filter}"'
    types = {feature.name: feature.type for feature in new.features}
    for feature in sorted(old.features, key=lambda each: each.name):
        before, after = old.derived.get(feature.name, ""), new.derived.get(feature.name, "")
        if feature.name not in types:
            yield f"its feature '{feature.name}' is gone"
        elif feature.type != types[feature.name]:
            yield f"its feature '{feature.name}' was {feature.type} and is {types[feature.name]}"
        elif before != after:
            yield f'its feature \'{feature.name}\' was "{before}" and is "{after}"'
    aggregations = {each.name: each for each in new.aggregations}
    for each in sorted(old.aggregations, key=lambda spec: spec.name):
        if each.name in aggregations and each != aggregations[each.name]:
            yield f"its aggregation '{each.name}' was {_told(each)} and is {_told(aggregations[each.name])}"


def _told(spec: AggregationSpec) -> str:
    number = "" if spec.parameter is None else f" ({spec.parameter:g})"
    return f"{spec.function}{number} of '{spec.column}' over {spec.window_ms // 1000} s every {spec.slide_ms // 1000} s"
