"""How long panes are that views share: the steps in which they cascade, and windows that are panes already."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from features.machinery.windows import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from features.machinery.resolve import ResolvedView

#: Panes of a longer step are worth an operator where they are so many times longer: it stands between the end of a
#: slide and the rows that are due then, and a stream keeps the panes of a slide merged anyway. A batch copies each pane
#: into every window that holds it.
_WORTH = 12
#: How long panes that events go into are in ms, where they can be and slides end so often that it matters: at the end
#: of one all keys of the last pane are told before any window over them.
_SHORT_MS, _SHORTEST_MS, _OFTEN_MS = 10_000, 5_000, 200_000


def pane_steps(views: Sequence[ResolvedView]) -> tuple[int, ...]:
    """Return the lengths of the panes that views share in ms, each a multiple of the one before."""
    step = common_step(views)
    steps = [_first(step) if any(view.window_ms > step for view in views) else step]
    for slide in sorted({view.slide_ms for view in views}):
        worth = slide >= _WORTH * max(step, steps[-1]) or windows_that_are_panes(views, slide) is not None
        if worth and slide > steps[-1] and slide % steps[-1] == 0:
            steps.append(slide)
    return tuple(steps)


def common_step(views: Iterable[ResolvedView]) -> int:
    """Return the longest step in ms that all windows of views are made of."""
    return gcd(*(view.slide_ms for view in views))


def _first(step_ms: int) -> int:
    """Return how long the panes are that make up a step, in ms; steps are whole seconds."""
    if not _SHORT_MS < step_ms <= _OFTEN_MS:
        return step_ms
    parts = range(_SHORT_MS, _SHORTEST_MS - 1, -SECOND_MS)
    return next((part for part in parts if step_ms % part == 0), step_ms)


def windows_that_are_panes(views: Iterable[ResolvedView], step_ms: int) -> ResolvedView | None:
    """Return the view of whose windows, each as long as a step, one follows on another at every step.

    None where there is no such view, or where values split its panes: its windows hold many of them.
    """
    overlapping = [view for view in views if step_ms == view.window_ms > view.slide_ms and not view.groups]
    return max(overlapping, key=lambda view: view.slide_ms, default=None)


def step_below(steps: Iterable[int], slide_ms: int) -> int:
    """Return the longest of the steps that make up a slide, in ms."""
    return max(step for step in steps if slide_ms % step == 0)
