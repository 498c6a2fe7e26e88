"""What kind each simulated event is, and which earlier message a reaction, edit or delete is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

KINDS = ("message", "reaction", "join", "edit", "delete")
_MESSAGE, _REACTION, _JOIN, _EDIT, _DELETE = range(len(KINDS))
#: Shares of the kinds in calm chatter; planted phases consist of messages.
_CUMULATIVE = np.cumsum([0.93, 0.04, 0.015, 0.01, 0.005])
_KEYS = pa.array(["kind", "language", "reply_to"], pa.string())


@dataclass(frozen=True)
class Kinds:
    """One kind (index into KINDS) a row; `about` is the row of the message meant, else the row itself."""

    kind: Rows
    about: Rows

    @property
    def reacting(self) -> Flags:
        """The rows whose text is an emoji."""
        return np.equal(self.kind, _REACTION)

    @property
    def silent(self) -> Flags:
        """The rows that have no text."""
        return np.isin(self.kind, (_JOIN, _DELETE))

    @property
    def by_author(self) -> Flags:
        """The rows that the author of the message meant must have sent."""
        return np.isin(self.kind, (_EDIT, _DELETE))

    def metadata(self, languages: pa.StringArray, channel: Rows, ids: pa.StringArray) -> pa.MapArray:
        """Return each row's metadata: kind, language and, where it is about a message, reply_to (one of `ids`)."""
        rows = np.arange(len(self.kind))
        addressed = self.about != rows
        offsets = np.concatenate([[0], np.cumsum(2 + addressed)]).astype(np.int32)
        firsts = offsets[:-1]
        keys = np.zeros(offsets[-1], np.int64)
        values = np.zeros(offsets[-1], np.int64)
        table = pa.concat_arrays([pa.array(KINDS, pa.string()), languages, ids.take(pa.array(self.about[addressed]))])
        values[firsts] = self.kind
        keys[firsts + 1], values[firsts + 1] = 1, len(KINDS) + channel
        at = firsts[addressed] + 2
        keys[at], values[at] = 2, len(KINDS) + len(languages) + np.arange(len(at))
        return pa.MapArray.from_arrays(pa.array(offsets), _KEYS.take(pa.array(keys)), table.take(pa.array(values)))


def draw_kinds(part: Rows, calm: Flags, rng: np.random.Generator) -> Kinds:
    """Draw a kind for each row (ordered by time): messages only outside calm chatter.

    A reaction, edit or delete is about the latest message of its own component among these rows; where there is none,
    the row is a message itself.
    """
    rows = np.arange(len(part))
    kind = np.where(calm, np.searchsorted(_CUMULATIVE[:-1], rng.random(len(part)), side="right"), _MESSAGE)
    by_part = np.argsort(part, kind="stable")
    is_message = kind[by_part] == _MESSAGE
    latest = np.maximum.accumulate(np.where(is_message, rows, -1))
    starts = np.searchsorted(part[by_part], part[by_part], side="left")
    about = np.empty_like(rows)
    about[by_part] = np.where(latest >= starts, by_part[latest], -1)
    addressing = np.isin(kind, (_REACTION, _EDIT, _DELETE))
    kind = np.where(addressing & (about < 0), _MESSAGE, kind)
    return Kinds(kind, np.where(addressing & (about >= 0), about, rows))
