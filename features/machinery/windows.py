"""The windows of a view: one size and one step for all its aggregations, written as Flink window functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from features.machinery.view_spec import ViewSpec

#: The row times of the events that views read, and of panes: the last ms that a pane holds, or as long after that as it
#: is made later.
ROWTIME, PANE_TIME = "et", "pane_time"
SECOND_MS = 1_000
#: How long a view may leave the processors to others at the end of its slide: less than a hundredth of that, so that of
#: the events in it one in a hundred notices, in tenths of a second, and no longer than others take.
_PATIENCE, _FINELY_MS, _LONGEST_PATIENCE_MS = 150, 100, 1_400
#: Names an expression may use for the length of the window.
WINDOW_NAMES = {"window_seconds": SECOND_MS, "window_minutes": 60 * SECOND_MS, "window_hours": 3_600 * SECOND_MS}
_UNITS = {"DAY": 86_400 * SECOND_MS, "HOUR": 3_600 * SECOND_MS, "MINUTE": 60 * SECOND_MS, "SECOND": SECOND_MS}
#: An interval literal has two digits unless it states a precision.
_PLAIN_LIMIT = 99


def one_window(view: ViewSpec) -> tuple[int, int]:
    """Return the size and step in ms that all of a view's aggregations share.

    Raises EchoPulseError for none or several, for parts of a second, and for a step that is longer than the window
    or does not divide it: panes of one step each must add up to a window.
    """
    if not view.aggregations:
        raise EchoPulseError(f"view '{view.name}' has no aggregations")
    first = view.aggregations[0]
    for spec in view.aggregations:
        part = f"view '{view.name}', aggregation '{spec.name}'"
        size, slide = spec.window_ms, spec.slide_ms
        if size <= 0 or slide <= 0:
            raise EchoPulseError(f"{part}: window {size} ms, slide {slide} ms", "set time_window= and slide_interval=")
        if size % SECOND_MS or slide % SECOND_MS:
            raise EchoPulseError(f"{part}: window {size} ms, slide {slide} ms", "windows are whole seconds")
        if slide > size:
            raise EchoPulseError(f"{part}: its slide of {_told(slide)} is longer than its window of {_told(size)}")
        if size % slide:
            near = next(s for s in range(slide, 0, -SECOND_MS) if size % s == 0)
            raise EchoPulseError(
                f"{part}: a slide of {_told(slide)} does not divide a window of {_told(size)}", f"{_told(near)} does"
            )
        if (size, slide) != (first.window_ms, first.slide_ms):
            raise EchoPulseError(
                f"{part}: window {_told(size)} every {_told(slide)}, but '{first.name}' has {_told(first.window_ms)} "
                f"every {_told(first.slide_ms)}",
                "a view has one window; make it two views",
            )
    return first.window_ms, first.slide_ms


def window_function(rows: str, rowtime: str, window_ms: int, slide_ms: int, offset_ms: int = 0) -> str:
    """Write HOP over `rows`, or TUMBLE where the step is the size: the same windows, planned more simply.

    Windows end at multiples of the step, or `offset_ms` later.
    """
    sizes = [interval(window_ms)] if window_ms == slide_ms else [interval(slide_ms), interval(window_ms)]
    offset = [interval(offset_ms)] if offset_ms else []
    name = "TUMBLE" if window_ms == slide_ms else "HOP"
    return f"{name}(\n    {rows},\n    DESCRIPTOR(`{rowtime}`), {', '.join([*sizes, *offset])})"


def patience_ms(slide_ms: int) -> int:
    """Return how long after the end of a slide its windows may be computed, in ms, where others go first."""
    return min(_LONGEST_PATIENCE_MS, slide_ms // _PATIENCE // _FINELY_MS * _FINELY_MS)


def interval(ms: int) -> str:
    """Write ms as an INTERVAL literal in the largest unit that holds them exactly, or as parts of a second."""
    if ms % SECOND_MS:
        return f"INTERVAL '{ms / SECOND_MS:.3f}' SECOND"
    unit, length = next((unit, length) for unit, length in _UNITS.items() if ms % length == 0)
    count = ms // length
    precision = f"({len(str(count))})" if count > _PLAIN_LIMIT else ""
    return f"INTERVAL '{count}' {unit}{precision}"


def short(ms: int) -> str:
    """Write whole seconds as a name's suffix: 90s, 5m, 1h, 2d."""
    unit, length = next((unit, length) for unit, length in _UNITS.items() if ms % length == 0)
    return f"{ms // length}{unit[0].lower()}"


def _told(ms: int) -> str:
    unit, length = next((unit, length) for unit, length in _UNITS.items() if ms % length == 0)
    return f"{ms // length} {unit.lower()}{'s' if ms != length else ''}"
