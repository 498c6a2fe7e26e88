"""A platform that is nothing but its declaration."""

from __future__ import annotations

import numpy as np
import orjson
import pyarrow as pa

from transforms.payloads.declaration import ANY, KINDS, UNLISTED, Payload
from transforms.payloads.interpretation import OWN, UNTOLD, interpret
from transforms.payloads.reading import read_each, read_together

CHAT = Payload(
    sources=("chat",),
    roots=("event", ""),
    type=("type",),
    kinds={"said": "message", "mended": "edit", "gone": "delete", UNLISTED: "other"},
    shapes=(("reaction", "smile"),),
    text={ANY: ("body",), "reaction": (":smile:",), "edit": ("new.body", "newer[].body")},
    target={"edit": ("of",), "delete": ("of",), "reaction": ("of",)},
    reply_to=("to",),
    emotes=("marks[kind=emote].code",),
)
#: A payload, its kind where that is told, and what it says: kind, text, target, reply_to, emotes.
EXAMPLES = [
    ({"event": {"type": "said", "body": "a", "to": 5}}, UNTOLD, ("message", "a", "", "5", "")),
    ({"type": "said", "body": "a", "of": "1"}, UNTOLD, ("message", "a", "", "", "")),
    ({"type": "mended", "body": "a", "new": {"body": "b"}, "of": "1"}, UNTOLD, ("edit", "b", "1", "", "")),
    ({"type": "mended", "newer": [{"body": "b"}, {}, {"body": "c"}], "of": "1"}, UNTOLD, ("edit", "b c", "1", "", "")),
    ({"type": "mended", "body": "a", "new": {"body": ""}}, UNTOLD, ("edit", "a", "", "", "")),
    ({"type": "gone", "body": "a", "of": "1"}, UNTOLD, ("delete", "", "1", "", "")),
    ({"smile": "wink", "of": "1"}, UNTOLD, ("reaction", ":wink:", "1", "", "")),
    ({"type": "said", "smile": "wink"}, UNTOLD, ("message", "", "", "", "")),
    ({"type": "typing"}, UNTOLD, ("other", "", "", "", "")),
    ({"type": "sung", "body": "la"}, UNTOLD, ("message", "la", "", "", "")),
    ({"type": "gone", "body": "a", "of": "1"}, KINDS.index("message"), ("message", "a", "", "", "")),
    ({"type": "said", "body": "a", "of": "1"}, OWN, ("", "", "", "", "")),
    (
        {"body": "a", "marks": [{"kind": "emote", "code": "X"}, {"kind": "link", "code": "Y"}, {"kind": "emote"}]},
        UNTOLD,
        ("message", "a", "", "", "X"),
    ),
]


def test_a_declaration_is_enough() -> None:
    """Kinds, texts, targets and emotes come from where they are declared, parsed together and one by one."""
    payloads = pa.array([orjson.dumps(payload) for payload, *_ in EXAMPLES], pa.binary())
    told = np.array([code for _, code, _ in EXAMPLES], np.int8)
    plan = CHAT.plan()
    for leaves in (read_together(payloads, payloads, plan), read_each(payloads, plan)):
        codes, found = interpret(leaves.columns, plan, told)
        kinds = [[*KINDS, ""][code] for code in codes.tolist()]
        fields = [found[name].to_pylist() for name in ("text", "target", "reply_to", "emotes")]
        assert list(zip(kinds, *fields, strict=True)) == [says for *_, says in EXAMPLES]


def test_part_of_a_plan() -> None:
    """Of a plan only what may be there is left, and nothing of a platform where no name of its own is."""
    plan = CHAT.plan()
    part = plan.within(frozenset({"body", "smile", "elsewhere"}))
    assert {path.top for path in (*part.words, *part.ids)} == {frozenset({"body"}), frozenset({"smile"})}
    assert (part.type, part.kinds, part.target, part.reply_to, part.emotes) == ((), (), (), (), ())
    assert plan.within(frozenset()).words == ()
