"""The figures as text: one table a bench, in Markdown, which a terminal shows well enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bench.measure import Figure, Section

_HEAD = ("measured", "median", "unit", "runs", "lowest to highest", "held against")
_WHOLE_FROM = 100.0


def number(value: float) -> str:
    """Write a number with three digits that count; from a hundred on without a fraction."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table with even columns."""
    rows = [_HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def section_text(section: Section) -> str:
    """Return one bench: heading, method, table, notes."""
    parts = [f"## {section.title}", section.method, table(section.figures)]
    if section.notes:
        parts.append("\n".join(f"- {note}" for note in section.notes))
    return "\n\n".join(parts) + "\n"


def document(sections: Sequence[Section], machine: Sequence[tuple[str, str]], command: str, when: datetime) -> str:
    """Return the whole report: where, when and how it was measured, then each bench."""
    lines = "\n".join(f"- {name}: {value}" for name, value in machine)
    head = (
        "# What was measured\n\n"
        f"`{command}` on {when:%Y-%m-%d %H:%M} UTC. Written by the run; numbers from elsewhere do not belong here.\n\n"
        f"{lines}\n"
    )
    return "\n".join([head, *(section_text(section) for section in sections)])


def _cells(figure: Figure) -> tuple[str, ...]:
    spread = f"{number(min(figure.runs))} to {number(max(figure.runs))}" if len(figure.runs) > 1 else ""
    return (figure.what, number(figure.median), figure.unit, str(len(figure.runs)), spread, figure.against)
