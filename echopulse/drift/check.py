"""The lake's last hours held against those before: reports kept in MLflow, and what they come to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from echopulse.drift.reports import REPORTS, check_installed, report
from echopulse.drift.sample import Span, sampled
from echopulse.tracking.publish import publish, recorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from echopulse.settings import Settings


@dataclass(frozen=True)
class Request:
    """What is asked for: hours that end at `until`, against the hours before them, by so many events of each."""

    until: datetime
    hours: int
    reference_hours: int
    rows: int


def check(settings: Settings, request: Request, say: Callable[[str], None]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what was found, as a document, and the reports' pages by name; a run of MLflow holds both.

    Raises EchoPulseError where Evidently is missing, or one of the spans has no events.
    """
    check_installed()
    begin = request.until - timedelta(hours=request.hours)
    current = Span(begin, request.until)
    reference = Span(begin - timedelta(hours=request.reference_hours), begin)
    with recorded("drift", f"drift {current}", lambda record: publish(settings, [record], say)) as record:
        record.parameters(current=current, reference=reference, rows=request.rows)
        say(f"reading {current} and {reference}")
        (seen, events), (before, reference_events) = (
            sampled(settings.lake, span, request.rows) for span in (current, reference)
        )
        reports = []
        for name in REPORTS:
            say(f"report on {name}")
            reports.append(report(name, seen, before))
        columns = [column for one in reports for column in one.columns]
        document: dict[str, Any] = {
            "current": {"from": current.begin, "to": current.end, "events": events, "rows": len(seen["text"])},
            "reference": {
                "from": reference.begin,
                "to": reference.end,
                "events": reference_events,
                "rows": len(before["text"]),
            },
            "drifted": [f"{column.report}.{column.column}" for column in columns if column.drifted],
            "columns": [asdict(column) for column in columns],
            "failures": {one.name: one.failure for one in reports if one.failure},
        }
        pages = {one.name: one.html for one in reports if one.html}
        record.measure({f"{column.report}.{column.column}": column.distance for column in columns})
        record.measure({"drifted": len(document["drifted"]), "columns": len(columns)})
        record.files |= {f"reports/{name}.html": page.encode() for name, page in pages.items()}
        record.files["document.json"] = json.dumps(document, indent=1, default=str).encode()
    return document, pages
