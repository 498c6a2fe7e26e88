"""What a training is ordered by, and what it shows while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from echopulse.training import bag
    from echopulse.training.evaluation import Asked


@dataclass(frozen=True)
class Order:
    """What to train, from what, into which folder; the fields are the options of `echopulse train`."""

    kind: str
    tasks: tuple[str, ...]
    data: Path
    output: Path
    seed: int = 0
    epochs: float | None = None
    teacher: str | None = None
    unlabelled: tuple[Path, ...] = ()
    folds: int = 0
    first: str | None = None
    second: str | None = None
    #: Of a transformer: how many larger networks teach it, and the weights that they start from.
    teachers: int = 0
    teacher_base: str | None = None
    #: Of a bag: fields of its recipe that differ from the usual ones, as a search finds them.
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Observer:
    """What a training shows while it goes on: each epoch's metrics, and each task's answers on the validation rows."""

    epoch: bag.Watch | None = None
    answers: Callable[[str, Asked], None] | None = None


def refuse(order: Order, *options: str) -> None:
    """Raise EchoPulseError where one of the options is given; its kind has no use for it."""
    for option in options:
        if getattr(order, option):
            raise EchoPulseError(f"a {order.kind} is trained without {option}", "leave it out")
