"""What a watcher knows, kept in one file together with how far it has read: both are of one moment, whatever breaks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from schemas.errors import EchoPulseError
from transforms.adwin import Adwin
from transforms.drift_distance import Distance
from transforms.drift_measures import MEASURES
from transforms.drift_monitor import SeriesKey
from transforms.drift_series import Series
from transforms.drift_sketch import Sketch

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.drift.watcher import Watcher
    from transforms.drift_series import Rules

#: By topic and partition: the next record to read.
Offsets = dict[str, dict[int, int]]


def save(path: Path, watcher: Watcher, offsets: Offsets) -> None:
    """Replace the file in one step; raises EchoPulseError where the disk does not take it."""
    document = {
        "rules": asdict(watcher.monitor.rules),
        "offsets": {topic: {str(part): offset for part, offset in parts.items()} for topic, parts in offsets.items()},
        "words": {"learn": watcher.words.learn, "texts": watcher.words.texts, "hashes": watcher.words.hashes.tolist()},
        "series": [{"key": list(key), **_series(series)} for key, series in watcher.monitor.series.items()],
    }
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(orjson.dumps(document))
        draft.replace(path)
    except OSError as error:
        raise EchoPulseError(f"drift: cannot write {path}: {error.strerror}", "free disk, or set `home`") from error


def load(path: Path, watcher: Watcher) -> Offsets:
    """Fill a new watcher from the file and return how far it had read, nothing where there is no file.

    Raises EchoPulseError where the file is damaged, or was kept under other rules.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unreadable(path, error) from error
    try:
        kept, words = document["words"], watcher.words
        other_words = kept["learn"] != words.learn or (not words.learn and kept["hashes"] != words.hashes.tolist())
        if other_words or document["rules"] != asdict(watcher.monitor.rules):
            raise EchoPulseError(
                f"drift: the baselines in {path} were learnt under other settings", "remove the file to learn anew"
            )
        for each in document["series"]:
            key = SeriesKey(*each["key"])
            watcher.monitor.series[key] = _restored(each, watcher.monitor.series_rules)
        words.texts, words.hashes = kept["texts"], np.array(kept["hashes"], np.uint64)
        return {topic: {int(p): int(o) for p, o in parts.items()} for topic, parts in document["offsets"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path, error) from error


def _series(series: Series) -> dict[str, Any]:
    return {
        "learning": [_sketch(each) for each in series.learning],
        "baseline": _sketch(series.baseline),
        "starts": series.starts.tolist(),
        "spread": series.spread,
        "pane": _sketch(series.pane),
        "since_ms": series.since_ms,
        "differing": series.differing,
        "drifted": series.drifted,
        "latest": None if series.latest is None else asdict(series.latest),
        "tested": series.tested,
        "adwin": None if series.adwin is None else asdict(series.adwin),
        "quiet": series.quiet,
    }


def _restored(kept: dict[str, Any], rules: Rules) -> Series:
    measure = MEASURES[kept["key"][0]]
    adwin = kept["adwin"]
    series = Series(
        measure,
        rules,
        learning=[_sketched(each) for each in kept["learning"]],
        baseline=None if kept["baseline"] is None else _sketched(kept["baseline"]),
        starts=np.array(kept["starts"], np.int64),
        pane=None if kept["pane"] is None else _sketched(kept["pane"]),
        latest=None if kept["latest"] is None else Distance(**kept["latest"]),
        adwin=None if adwin is None else Adwin(**adwin | {"panes": [tuple(pane) for pane in adwin["panes"]]}),
        **{name: kept[name] for name in ("spread", "since_ms", "differing", "drifted", "tested", "quiet")},
    )
    held = (*series.learning, *(each for each in (series.baseline, series.pane) if each))
    if any(len(each.counts) != len(measure.edges) + 1 for each in held):
        message = f"{kept['key'][0]} has another grid"
        raise ValueError(message)
    return series


def _sketch(sketch: Sketch | None) -> list[Any] | None:
    return None if sketch is None else [sketch.counts.tolist(), sketch.total, sketch.squares]


def _sketched(kept: list[Any]) -> Sketch:
    return Sketch(np.array(kept[0], np.int64), kept[1], kept[2])


def _unreadable(path: Path, error: Exception) -> EchoPulseError:
    return EchoPulseError(f"drift: {path} is unreadable: {error!r}", "remove the file to learn anew")
