"""Where a value stands in a JSON document: the paths that payload declarations are made of.

`event.message.text` goes by names. `fragments[type=emote].text` goes into the items of a list whose `type` is `emote`,
`blocks[]` into all, `langs[0]` into the first. The last name may have alternatives, `text|url`, of which the first
that is there is taken; one in colons, `:name:`, gives its value in colons, as a shortcode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

_SELECTOR = re.compile(r"(.+?)\[(?:(\d+)|(\w+)=([^\]]*))?\]")
_CHOICE = re.compile(r"(:?)([^:]*)\1")


@dataclass(frozen=True)
class Selector:
    """The items of a list that are meant: all, the one at `position`, or those whose field `name` is `value`."""

    position: int = -1
    name: str = ""
    value: str = ""

    def takes(self, place: int, item: object) -> bool:
        """Whether it means this item, at this place of its list."""
        if self.name:
            return isinstance(item, dict) and item.get(self.name) == self.value
        return self.position in (-1, place)


@dataclass(frozen=True)
class Step:
    """A name on the way, and which items are meant where it names a list."""

    name: str
    selector: Selector | None = None


@dataclass(frozen=True, eq=False)
class Path:
    """Steps to an object, and the names within it that may hold the value, each with whether colons go around it.

    A choice named '' is the item of a list itself. The same text is always the same object, so that paths are quick to
    look up.
    """

    steps: tuple[Step, ...]
    choices: tuple[tuple[str, bool], ...]

    @staticmethod
    @cache
    def parse(text: str) -> Path:
        """Read a path as declarations write it."""
        *names, last = text.split(".")
        if last.endswith("]"):
            return Path(tuple(map(_step, [*names, last])), (("", False),))
        choices = [_CHOICE.fullmatch(choice) for choice in last.split("|")]
        return Path(tuple(map(_step, names)), tuple((match[2], bool(match[1])) for match in choices if match))

    @cached_property
    def top(self) -> frozenset[str]:
        """The names at the top of the document where it may begin."""
        if self.steps:
            return frozenset((self.steps[0].name,))
        return frozenset(name for name, _ in self.choices)

    @cached_property
    def names(self) -> frozenset[str]:
        """All names on the way, those that select items of lists too."""
        selecting = (step.selector.name for step in self.steps if step.selector)
        return frozenset([*(step.name for step in self.steps), *selecting, *(name for name, _ in self.choices)]) - {""}

    @cached_property
    def listed(self) -> bool:
        """Whether it leads to any number of values, through a list."""
        return any(step.selector for step in self.steps)

    def find(self, document: dict[str, Any], *, numbers: bool) -> str | list[str] | None:
        """Return the text at the path (a list of them behind a list); with `numbers` a whole number passes for one."""
        if not self.listed:
            node: Any = document
            for step in self.steps:
                node = node.get(step.name) if isinstance(node, dict) else None
            return None if node is None else self._choose(node, numbers=numbers)
        nodes: list[Any] = [document]
        for step in self.steps:
            nodes = [node[step.name] for node in nodes if isinstance(node, dict) and step.name in node]
            if (selector := step.selector) is not None:
                lists = [node for node in nodes if isinstance(node, list)]
                nodes = [item for items in lists for place, item in enumerate(items) if selector.takes(place, item)]
        return [value for node in nodes if (value := self._choose(node, numbers=numbers)) is not None]

    def _choose(self, node: object, *, numbers: bool) -> str | None:
        for name, colons in self.choices:
            value = node if not name else node.get(name) if isinstance(node, dict) else None
            if numbers and type(value) is int:
                value = str(value)
            if isinstance(value, str):
                return f":{value}:" if colons else value
        return None


def _step(text: str) -> Step:
    match = _SELECTOR.fullmatch(text)
    if match is None:
        return Step(text)
    name, position, field, value = match.groups()
    return Step(name, Selector(-1 if position is None else int(position), field or "", value or ""))
