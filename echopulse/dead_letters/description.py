"""Everything that can be told of one dead letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from echopulse.dead_letters.decoding import decoded, hex_lines
from echopulse.dead_letters.history import read_history
from echopulse.dead_letters.listing import Listed
from echopulse.dead_letters.mending import try_again
from echopulse.dead_letters.origin import advice, told_origin
from echopulse.dead_letters.reading import read_letter
from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.event_time import TimeRange, iso

if TYPE_CHECKING:
    from echopulse.dead_letters.letter import Letter, LetterId
    from schemas.avro import LetterReplay

_VIEWED_BYTES = 256


def describe(bootstrap: str, wanted: LetterId) -> dict[str, Any]:
    """Return a letter with its original, what that says, and what a replay would come to. Raises EchoPulseError."""
    letter = read_letter(bootstrap, wanted)
    history = read_history(bootstrap)
    replayed = history.replayed(letter)
    original = letter.content.original
    form = letter.form
    return {
        **Listed(letter, history.past(letter).attempts, replayed.ts if replayed else None).document(),
        "first": history.past(letter).first,
        "origin_told": told_origin(letter),
        "form": "event" if letter.is_event else form.form if form else "",
        "mapping": form.mapping if form else "",
        "bytes": len(original),
        "hex": original.hex(),
        "text": original.decode(errors="replace"),
        "hex_view": hex_lines(original, _VIEWED_BYTES),
        "decoded": decoded(letter),
        "advice": advice(letter),
        "outlook": outlook(letter, replayed),
    }


def outlook(letter: Letter, replayed: LetterReplay | None) -> str:
    """Say what a replay would come to now."""
    if replayed is not None:
        where = f", as {replayed.destination}" if replayed.destination else ", and its mapping leaves it out"
        return f"It was replayed at {iso(replayed.ts)}{where}."
    trial = try_again([letter], TimeRange.around(now_ms()))
    if trial.failing:
        return f"A replay would fail again, at stage {trial.failing[0].stage}: {trial.failing[0].reason}."
    if trial.filtered:
        return "Its mapping leaves it out by now: a replay would take it for done."
    return "A replay would bring it to the analysis."
