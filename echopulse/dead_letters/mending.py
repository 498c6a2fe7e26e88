"""Dead letters tried again without Kafka: which of them are events now, and why the others still are none.

The same code reads them as the first time: the gateway's readers, mappings and judgement, the job's screening and
extraction. Only the strategies are not asked here; what fails there comes back as a new letter.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.dead_letters.original_rows import NoMappingError, read_originals
from echopulse.gateway.validation import judge
from schemas.codec import decode_events, encode_events
from schemas.topics import EVENTS, MAX_MESSAGE_BYTES
from transforms.extraction import DEFAULT_KIND, extract, lookup
from transforms.screening import Outcome, screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.dead_letters.letter import Letter
    from echopulse.gateway.event_time import TimeRange
    from echopulse.gateway.original_form import OriginalForm

#: Kafka's framing and the headers around an event.
_FRAMING_BYTES = 2048


class Mended(NamedTuple):
    """A letter that is an event now: what goes to social.events."""

    letter: Letter
    key: str
    value: bytes
    ts_ms: int


class Failing(NamedTuple):
    """A letter that no replay would bring through as things are: the stage and the reason of now."""

    letter: Letter
    stage: str
    reason: str


@dataclass
class Trial:
    """What came of letters: events, letters that still fail, and frames that their mapping leaves out by now."""

    mended: list[Mended] = field(default_factory=list)
    failing: list[Failing] = field(default_factory=list)
    filtered: list[Letter] = field(default_factory=list)


def try_again(letters: Sequence[Letter], limits: TimeRange, mapping: str = "") -> Trial:
    """Try letters again; `limits` are the times that the topic takes now, `mapping` replaces the frames' own.

    Every letter is in the outcome once.
    """
    trial = Trial()
    events = [letter for letter in letters if letter.is_event]
    if events:
        _try_events(events, pa.array([each.content.original for each in events], pa.binary()), limits, trial)
    for form, group in _by_form(letters, trial).items():
        try:
            read = read_originals([letter.content.original for letter in group], form, mapping)
        except NoMappingError as error:
            trial.failing += [Failing(letter, letter.content.stage, str(error)) for letter in group]
            continue
        trial.filtered += [group[place] for place in read.filtered]
        judged = judge(read.rows, "", limits, form.shift_ms)
        bad = {}
        for refused in judged.letters:
            place = int(refused.origin.rpartition(":")[2]) - 1
            bad[place] = Failing(group[place], refused.stage, refused.reason)
        trial.failing += bad.values()
        good = [group[number - 1] for number in read.rows.numbers if number - 1 not in bad]
        if good:
            _try_events(good, encode_events(judged.events), limits, trial)
    return trial


def _by_form(letters: Sequence[Letter], trial: Trial) -> dict[OriginalForm, list[Letter]]:
    groups: defaultdict[OriginalForm, list[Letter]] = defaultdict(list)
    for letter in letters:
        if letter.is_event:
            continue
        if letter.form is None:
            trial.failing.append(Failing(letter, letter.content.stage, "it does not say how its original is read"))
        else:
            groups[letter.form].append(letter)
    return groups


def _try_events(letters: Sequence[Letter], values: pa.BinaryArray, limits: TimeRange, trial: Trial) -> None:
    """Try SocialEvents as the job does, each with a record of its own time, and as the topic does."""
    outcome = Outcome(len(letters))
    decoded = decode_events(values)
    outcome.refuse(decoded.bad_rows, "decode", lambda index: decoded.reasons[index])
    events, rows = decoded.events, decoded.rows.to_numpy()
    times = events.column("ts").cast(pa.int64())
    own = pc.fill_null(times, 0).to_numpy()
    kinds = lookup(events.column("metadata"), "kind")
    screen(events, pc.fill_null(kinds, DEFAULT_KIND), own, rows, outcome)
    outside = np.flatnonzero(~pc.fill_null(limits.holds(times), False).to_numpy(zero_copy_only=False))  # noqa: FBT003 arrow's own argument
    outcome.refuse(rows[outside], "time", lambda index: limits.why_not(int(own[outside[index]])))
    extracted = extract(events, kinds)
    outcome.refuse(rows[extracted.bad_rows], "extract", lambda index: extracted.reasons[index])
    channels = events.column("channel_id")
    sizes = pc.add(pc.binary_length(values.take(decoded.rows)), pc.binary_length(channels)).to_numpy()
    place = {int(row): index for index, row in enumerate(rows)}
    stages, reasons = outcome.stages().to_pylist(), outcome.reasons().to_pylist()
    for row, letter in enumerate(letters):
        if stages[row]:
            trial.failing.append(Failing(letter, stages[row], reasons[row] or "a heartbeat, which is no event"))
        elif sizes[place[row]] > MAX_MESSAGE_BYTES - _FRAMING_BYTES:
            reason = f"it is above the {MAX_MESSAGE_BYTES} bytes that {EVENTS} takes"
            trial.failing.append(Failing(letter, "produce", reason))
        else:
            at = place[row]
            trial.mended.append(Mended(letter, channels[at].as_py(), values[row].as_py(), int(own[at])))
