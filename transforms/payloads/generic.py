"""Payloads of no platform in particular: files of the user's own, the simulator, transcripts of speech.

Transcripts as Whisper writes them ({"text", "segments", "language"}) and as segments with speakers alone.
"""

from __future__ import annotations

from transforms.payloads.declaration import KINDS, Markup, Payload

#: The header of W3C WebVTT, cue timings with the identifier before them, and tags within cues.
_TIMING = r"(?m)^(?:[^\n]*\n)?(?:\d+:)?\d\d:\d\d[.,]\d{3} +--> +(?:\d+:)?\d\d:\d\d[.,]\d{3}[^\n]*$"

PAYLOAD = Payload(
    sources=(),
    kinds={kind: kind for kind in KINDS},
    type=("kind",),
    shapes=(("reaction", "emoji"),),
    text={"reaction": ("emoji",)},
    target=dict.fromkeys(("edit", "delete", "reaction"), ("target",)),
    reply_to=("reply_to",),
    thread=("thread",),
    language=("lang",),
    markup=(
        Markup("-->", r"\A\x{FEFF}?WEBVTT(?:[^\n]+\n)*", ""),
        Markup("-->", r"</?(?:[cvibu]|ruby|rt|lang)(?:[. ][^>]*)?>", ""),
        Markup("-->", _TIMING, ""),
    ),
)
