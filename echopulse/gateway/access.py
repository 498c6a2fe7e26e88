"""Which events a source may bring in: by channel and by kind."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANNEL, KIND = "channel", "kind"
#: What an event is that does not say its kind.
_PLAIN_KIND = "message"


class Channels(BaseModel):
    """Globs (`*`, `?`, `[ab]`, case counts) over channel ids: one of `allow` must fit, and none of `deny`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: list[str] = ["*"]
    deny: list[str] = []


class Access:
    """Applies a source's channels and kinds to batches; an empty list of kinds allows all."""

    def __init__(self, channels: Channels, kinds: Sequence[str] = ()) -> None:
        """Compile the globs."""
        self._allow, self._deny = _compiled(channels.allow), _compiled(channels.deny)
        self._open = channels.allow == ["*"] and not channels.deny
        self._kinds = pa.array(list(kinds), pa.string())

    def allows(self, channel: str) -> bool:
        """Say whether a channel may come in."""
        return bool(self._allow.match(channel)) and not self._deny.match(channel)

    def apply(self, events: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, int]]:
        """Return what may come in of a batch in schema EVENT, and how many did not, by reason."""
        dropped: dict[str, int] = {}
        if not self._open and events.num_rows:
            # Once a channel, not once an event.
            coded = events.column("channel_id").dictionary_encode()
            fits = pa.array([self.allows(channel) for channel in coded.dictionary.to_pylist()], pa.bool_())
            events = _kept(events, fits.take(coded.indices), CHANNEL, dropped)
        if len(self._kinds) and events.num_rows:
            kinds = pc.map_lookup(events.column("metadata"), KIND, "last")
            events = _kept(events, pc.is_in(pc.fill_null(kinds, _PLAIN_KIND), self._kinds), KIND, dropped)
        return events, dropped


def _kept(events: pa.RecordBatch, keep: pa.BooleanArray, reason: str, dropped: dict[str, int]) -> pa.RecordBatch:
    kept = events.filter(keep)
    if kept.num_rows < events.num_rows:
        dropped[reason] = events.num_rows - kept.num_rows
    return kept


def _compiled(globs: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, globs)) if globs else "(?!)")
