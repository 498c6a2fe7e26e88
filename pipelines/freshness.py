"""How fresh features are as they become readable: a histogram a view, in files that one exporter a host reads.

The freshness of a row is the time from the beginning of its window's newest step, `window end - slide`, until it is
written online. No event of that step waited longer to be read, and the last one at most a slide less; so freshness is
above what any of them waited, and below it plus the slide.
"""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

METRIC = "feature_freshness_seconds"
#: In s. Where the delay is five seconds, steps of ten seconds, a minute and five have their limits at 16, 66 and 306.
BUCKETS = (1, 2, 4, 6, 8, 10, 12, 14, 15, 16, 18, 20, 25, 30, 45, 60, 65, 66, 70, 90, 120, 180, 300, 305, 306, 310, 600)
_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_LOG = logging.getLogger(__name__)


def host_folder(folder: str) -> Path:
    """Return where this host's files are: they are named by process id, which other hosts have too."""
    return Path(folder) / socket.gethostname()


@dataclass(frozen=True)
class FreshnessSettings:
    """The step of a view's windows in ms, and the folder for files of metrics; '' measures nothing. Plain data."""

    slide_ms: int
    folder: str = ""


class Freshness:
    """Counts the freshness of one view's rows; picklable, opens its file on first use.

    A worker that cannot make the folder goes on without: the log says so once.
    """

    def __init__(self, view: str, settings: FreshnessSettings) -> None:
        self._view = view
        self._settings = settings

    def __getstate__(self) -> dict[str, Any]:
        return {"_view": self._view, "_settings": self._settings}

    def observe(self, window_end_ms: NDArray[np.int64], written_ms: int) -> None:
        """Count rows that were written together, by the ends of their windows; all in ms UTC."""
        if self._settings.folder and len(window_end_ms) and self._histogram is not None:
            seconds = (written_ms - (window_end_ms - self._settings.slide_ms)) / 1_000
            places = np.searchsorted(np.array(BUCKETS), seconds)
            # The library counts one value a call. These are its own cells: one for each bucket, the last without end.
            for place, count in enumerate(np.bincount(places, minlength=len(BUCKETS) + 1).tolist()):
                if count:
                    self._histogram._buckets[place].inc(count)  # noqa: SLF001 as above
            self._histogram._sum.inc(float(seconds.sum()))  # noqa: SLF001 as above

    @cached_property
    def _histogram(self) -> Any | None:  # noqa: ANN401 a prometheus_client.Histogram, of which private cells are used
        folder = host_folder(self._settings.folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _LOG.warning("freshness of %s is not measured: %s", self._view, error)
            return None
        # The library reads it when it is first imported, and once more when it opens its file.
        os.environ[_FOLDER_VARIABLE] = str(folder)
        from prometheus_client import CollectorRegistry, Histogram

        text = "From the beginning of a window's newest step until its row can be read online"
        return Histogram(METRIC, text, ["view"], registry=CollectorRegistry(), buckets=BUCKETS).labels(self._view)
