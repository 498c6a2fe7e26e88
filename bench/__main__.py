"""`python -m bench [NAME…] [--events N] [--minutes M] [--output FILE]`: measure, print, and write the report."""

from __future__ import annotations

import argparse
import importlib
import math
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import machine
from bench.report import document, section_text
from echopulse.cli.interrupt import ended_by_signal
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from bench.measure import Section

#: In this order: the stack's run first, on a process that holds nothing else.
BENCHES = {
    "e2e": "bench.end_to_end",
    "freshness": "bench.freshness",
    "analysis": "bench.analysis",
    "heads": "bench.heads",
    "transformer": "bench.transformer",
    "store": "bench.store",
    "ingest": "bench.ingest",
    "gateway": "bench.gateway",
    "windows": "bench.windows",
    "backfill": "bench.backfill",
}
#: Only where it is named: it lasts as long as it is told to.
SOAK, _SOAK_MODULE = "soak", "bench.soak"
_EVENTS, _MINUTES = 1_000_000, 10.0
_RESULTS = Path(__file__).parent / "results.md"


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line; exits with 2 where it is wrong."""
    parser = argparse.ArgumentParser("python -m bench", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all of them where none is given; or {SOAK}"
    )
    parser.add_argument("--events", type=int, default=_EVENTS, help="events end to end; the others take shares of it")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help=f"of {SOAK}; {_MINUTES:g} where not given")
    parser.add_argument(
        "--output", type=Path, help=f"where the report goes; a full run writes {_RESULTS.name} beside this"
    )
    chosen = parser.parse_args(argv)
    unknown = [name for name in chosen.names if name not in {*BENCHES, SOAK}]
    if unknown:
        parser.error(f"no bench '{unknown[0]}': there are {', '.join([*BENCHES, SOAK])}")
    if chosen.events < 1:
        parser.error(f"--events {chosen.events} is not above 0")
    if not 0 < chosen.minutes < math.inf:
        parser.error(f"--minutes {chosen.minutes:g} is not above 0")
    return chosen


def report_path(chosen: argparse.Namespace) -> Path | None:
    """Return where the report goes: nowhere after a partial or smaller run, unless a file was named."""
    full = chosen.events == _EVENTS and set(chosen.names or BENCHES) == set(BENCHES)
    return chosen.output or (_RESULTS if full else None)


def run(argv: list[str]) -> int:
    """Measure what was chosen; return the exit status."""
    chosen = arguments(argv)
    described = machine.describe()
    sections = []
    try:
        for name in dict.fromkeys(chosen.names or BENCHES):
            # A signal ends the bench as Ctrl-C does, so that no server outlives it.
            with ended_by_signal(), tempfile.TemporaryDirectory(prefix="echopulse-bench-") as folder:
                sections.append(_measured(name, chosen, Path(folder)))
            print(section_text(sections[-1]), flush=True)
    except EchoPulseError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted\n")
        return 1
    path = report_path(chosen)
    if path is not None:
        command = "make bench" if path == _RESULTS else " ".join(["python -m bench", *argv])
        path.write_text(document(sections, described, command, datetime.now(UTC)), encoding="utf-8")
        sys.stderr.write(f"written to {path}\n")
    return 0


def _measured(name: str, chosen: argparse.Namespace, folder: Path) -> Section:
    module = importlib.import_module(_SOAK_MODULE if name == SOAK else BENCHES[name])
    section: Section = module.measure(chosen.minutes if name == SOAK else chosen.events, folder)
    return section


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
