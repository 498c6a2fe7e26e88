"""Which channels had a text scored of late: what no model scored counts in the features, but says nothing."""

from __future__ import annotations

from collections import defaultdict

from schemas.avro import decode_analysis
from transforms.verdict import ABSTAINED

#: The features of a channel that are means of what a model says, and the kind of analysis that says it.
SCORED_BY = {"toxic_share": "toxicity", "mean_toxicity": "toxicity", "sentiment_balance": "sentiment"}
_KINDS = frozenset(SCORED_BY.values())
#: A channel with a scored text so lately, by event time, is not looked at again: its results need not be decoded.
_LATELY_MS = 1_000


class ScoredChannels:
    """The newest scored and the newest unscored result of each channel, by kind of analysis; event times in ms UTC."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._scored: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._unscored: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def note(self, channel: str, ts_ms: int, result: bytes) -> None:
        """Take in one AnalysisResult, an Avro datum, of an event at `ts_ms`."""
        if all(ts_ms - self._scored[kind].get(channel, -_LATELY_MS) < _LATELY_MS for kind in _KINDS):
            return
        models = decode_analysis(result)["models"]
        for kind in _KINDS:
            said = models.get(kind, ABSTAINED)
            newest = (self._unscored if said.startswith(ABSTAINED) else self._scored)[kind]
            newest[channel] = max(ts_ms, newest.get(channel, 0))

    def nobody(self, kind: str, channel: str, since_ms: int) -> bool:
        """Return whether the channel's results since then are known, and none of them was scored."""
        return (
            self._scored[kind].get(channel, 0) < since_ms
            and self._unscored[kind].get(channel, since_ms - 1) >= since_ms
        )
