"""How long panes are that views share: the steps in which they cascade.

And which windows are merged early: all but their last slide, while that lasts. What is left at its end is to add the
last pane of each key, where otherwise every slide of a window would be merged then, for all keys at once.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from features.machinery.silence import LATER_MS
from features.machinery.windows import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from features.machinery.resolve import ResolvedView

#: Panes of a longer step are worth an operator where they are so many times longer: a stream keeps the panes of a slide
#: merged anyway, but a batch copies each pane into every window that holds it. Views that are due most often never wait
#: for one.
_WORTH = 12
#: How long panes that events go into are in ms, where they can be and slides end so often that it matters: at the end
#: of one all keys of the last pane are told before any window over them.
_SHORT_MS, _SHORTEST_MS, _OFTEN_MS = 10_000, 5_000, 200_000
#: An operator that merges windows early is worth it where a slide is as long in ms, and a window at least so many.
_SELDOM_MS, _OVERLAPPING = 60_000, 3


def pane_steps(views: Sequence[ResolvedView]) -> tuple[int, ...]:
    """Return the lengths of the panes that views share in ms, each a multiple of the one before."""
    step = common_step(views)
    steps = [_first(step) if any(view.window_ms > step for view in views) else step]
    _, *longer = sorted({view.slide_ms for view in views})
    for slide in longer:
        if slide >= _WORTH * steps[-1] and slide % steps[-1] == 0:
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


def step_below(steps: Iterable[int], slide_ms: int) -> int:
    """Return the longest of the steps that make up a slide, in ms."""
    return max(step for step in steps if slide_ms % step == 0)


def is_merged_early(view: ResolvedView, step_ms: int) -> bool:
    """Return whether what a view's windows hold before their last slide is merged early, of panes of a step."""
    seldom = view.slide_ms >= _SELDOM_MS and step_ms > LATER_MS
    return seldom and view.window_ms >= _OVERLAPPING * view.slide_ms
