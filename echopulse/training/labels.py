"""What the labels of somebody else's checkpoint mean in our tasks: by their names, or as a person says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echopulse.training import datasets
from schemas.errors import EchoPulseError, did_you_mean, near
from transforms.artifact import STANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: By label of ours: names of it in checkpoints, the likelier first; case and punctuation do not count. Of a binary
#: task's first label a `not` or `non` ahead of a name of the second one does as well.
NAMES: dict[str, tuple[str, ...]] = {
    "negative": ("negative", "neg", "1 star", "2 stars", "very negative"),
    "neutral": ("neutral", "neu", "3 stars"),
    "positive": ("positive", "pos", "4 stars", "5 stars", "very positive"),
    "not_offensive": ("not offensive", "normal", "neutral", "none"),
    "offensive": ("offensive", "offensive language", "abusive", "insult"),
    "not_hate": ("not hate", "normal", "neutral", "none"),
    "hate": ("hate", "hateful", "hate speech", "identity hate", "identity attack"),
    "not_toxic": ("not toxic", "normal", "neutral", "none", "clean", "safe"),
    "toxic": ("toxic", "toxicity"),
    "none": ("none", "neutral"),
    "against": ("against",),
    "favor": ("favor", "favour", "in favor"),
}
_BINARY = 2


@dataclass(frozen=True)
class Question:
    """A task that a checkpoint answers: its name in the manifest, our task, and for each label of it theirs by index.

    `links` is how their scores become probabilities: `softmax` where one of their labels holds, `sigmoid` where each
    holds or not. By sigmoid, a binary task's first label has none of theirs: it is what is left.
    """

    name: str
    task: datasets.LabelledTask
    theirs: tuple[tuple[int, ...], ...]
    links: str

    @property
    def width(self) -> int:
        """The columns of scores that it has: the log-odds of the second label of two, else one a label."""
        return 1 if len(self.task.labels) == _BINARY else len(self.task.labels)

    @property
    def target(self) -> str:
        """The target of a stance, '' for other tasks."""
        return self.name.removeprefix(STANCE) if self.task.by_target else ""


def questions(
    tasks: Sequence[str], labels: Mapping[int, str], links: str, told: str, checkpoint: str
) -> list[Question]:
    """Return what a checkpoint with these labels answers; `told` is `theirs=ours` with commas between, or ''.

    Toxicity brings offensive and hate where the checkpoint has labels for them. Raises EchoPulseError for a task
    that is unknown, that the labels cannot be told for, or that `told` misspells.
    """
    pairs = _pairs(told, labels, tasks)
    found = []
    for name in dict.fromkeys(tasks):
        found.append(_question(name, labels, links, pairs, checkpoint))
        found += [
            Question(other, datasets.TASKS[other], theirs, links)
            for other in datasets.TOGETHER.get(name, ())
            if other not in tasks and (theirs := _theirs(datasets.TASKS[other], labels, links, pairs))
        ]
    return found


def _question(
    name: str, labels: Mapping[int, str], links: str, pairs: Sequence[tuple[int, str]], checkpoint: str
) -> Question:
    task = _task(name)
    if links == "sigmoid" and len(task.labels) != _BINARY:
        raise EchoPulseError(
            f"{checkpoint} says of each of its labels whether it holds; {task.name} wants the one of several that does",
            f"its labels: {', '.join(labels.values())}",
        )
    theirs = _theirs(task, labels, links, pairs)
    if not theirs:
        said = ", ".join(f"'{label}'" for label in labels.values())
        raise EchoPulseError(
            f"{checkpoint} has the labels {said}, of which not each can be told for {', '.join(task.labels)}",
            _hint(task, labels),
        )
    return Question(name, task, theirs, links)


def _task(name: str) -> datasets.LabelledTask:
    own, _, target = name.partition(".")
    if own not in datasets.TASKS:
        raise EchoPulseError(f"no task '{name}'", did_you_mean(name, datasets.TASKS))
    task = datasets.TASKS[own]
    if task.by_target != bool(target):
        hint = f"name it: {own}.TARGET" if task.by_target else f"the task is {own}"
        raise EchoPulseError(f"a checkpoint's {own} is toward {'one target' if task.by_target else 'none'}", hint)
    return task


def _theirs(
    task: datasets.LabelledTask, labels: Mapping[int, str], links: str, pairs: Sequence[tuple[int, str]]
) -> tuple[tuple[int, ...], ...]:
    """Return for each label of a task theirs, () where that cannot be told."""
    said = [(index, ours) for index, ours in pairs if ours in task.labels]
    by_name = not said
    if by_name:
        said = _by_name(task, labels, links)
    if len(task.labels) == _BINARY:
        first, second = task.labels
        holds = tuple(index for index, ours in said if ours == second)
        if links == "sigmoid":
            return ((), holds) if holds else ()
        rest = tuple(index for index in labels if index not in holds)
        # By names, each of theirs must be known: what is left might be a stronger word for the second label.
        strange = by_name and {index for index, ours in said if ours == first} != set(rest)
        return (rest, holds) if holds and rest and not strange else ()
    groups = tuple(tuple(index for index, ours in said if ours == label) for label in task.labels)
    complete = all(groups) and {index for group in groups for index in group} == set(labels)
    return groups if complete else ()


def _by_name(task: datasets.LabelledTask, labels: Mapping[int, str], links: str) -> list[tuple[int, str]]:
    plain = {index: _plain(label) for index, label in labels.items()}
    if links == "sigmoid":
        # The likeliest alone: a toxic text need not be a severely toxic one.
        ours = task.labels[-1]
        ranked = [(NAMES[ours].index(name), index) for index, name in plain.items() if name in NAMES[ours]]
        return [(min(ranked)[1], ours)] if ranked else []
    return [(index, ours) for index, name in plain.items() for ours in task.labels if name in _names(task, ours)]


def _names(task: datasets.LabelledTask, ours: str) -> set[str]:
    names = set(NAMES[ours])
    if len(task.labels) == _BINARY and ours == task.labels[0]:
        names |= {f"{no}{name}" for no in ("not ", "non ", "no ", "not", "non") for name in NAMES[task.labels[1]]}
    return names


def _plain(label: str) -> str:
    return re.sub(r"[^0-9a-z]+", " ", label.lower()).strip()


def _pairs(told: str, labels: Mapping[int, str], tasks: Sequence[str]) -> list[tuple[int, str]]:
    """Read `theirs=ours` with commas between; theirs is a label of the checkpoint or its number."""
    numbers = {label: index for index, label in labels.items()} | {str(index): index for index in labels}
    together = {name for task in tasks for name in datasets.TOGETHER.get(task, (task.partition(".")[0],))}
    known = [label for name in sorted(together & set(datasets.TASKS)) for label in datasets.TASKS[name].labels]
    pairs = []
    for part in filter(None, (part.strip() for part in told.split(","))):
        theirs, equals, ours = (word.strip() for word in part.rpartition("="))
        if not equals:
            raise EchoPulseError(f"--labels: '{part}' is not THEIRS=OURS", f"ours: {', '.join(known)}")
        if theirs not in numbers:
            raise EchoPulseError(f"--labels: the checkpoint has no label '{theirs}'", did_you_mean(theirs, numbers))
        if ours not in known:
            raise EchoPulseError(f"--labels: no label '{ours}' in {', '.join(tasks)}", did_you_mean(ours, known))
        pairs.append((numbers[theirs], ours))
    return pairs


def _hint(task: datasets.LabelledTask, labels: Mapping[int, str]) -> str:
    """Return what --labels may be, the nearest of ours for each of theirs, or which of ours none is near to."""
    nearest = {name: ours for ours in task.labels for name in _names(task, ours)}
    guesses = {label: near(_plain(label), nearest, 0.75) for label in labels.values()}
    meant = {label: nearest[guess] if guess else "|".join(task.labels) for label, guess in guesses.items()}
    lacking = [ours for ours in task.labels if ours not in meant.values()]
    if all(guesses.values()) and lacking:
        return f"none of them is {' or '.join(lacking)}"
    return f"say it: --labels '{','.join(f'{label}={ours}' for label, ours in meant.items())}'"
