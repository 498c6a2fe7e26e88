"""Texts without markup, and their emotes."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.payloads import discord, mastodon, slack, x
from transforms.payloads.declaration import SHORTCODE, Payload
from transforms.payloads.markup import rewrite, take_emotes


@pytest.mark.parametrize(
    ("payload", "text", "plain", "emotes"),
    [
        (slack.PAYLOAD, "no marks  at all", "no marks  at all", ""),
        (slack.PAYLOAD, "<@U1|ann> <@W2> <#C1|general> <#C2>", "@user @user #general channel", ""),
        (slack.PAYLOAD, "<!here> <!subteam^S1|@devs> <!subteam^S1> <!date^1^|now>", "@everyone @devs @group now", ""),
        (slack.PAYLOAD, "<mailto:a@b.example|a@b.example> <https://b.example|b>", "a@b.example b", ""),
        (slack.PAYLOAD, "<https://b.example> and <https://b.example|>", "https://b.example and https://b.example", ""),
        (slack.PAYLOAD, "1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt;", "1 < 2 && 3 > 2 &lt;", ""),
        (slack.PAYLOAD, "10:30:45 a:b:c ::", "10:30:45 a:b:c ::", ""),
        (slack.PAYLOAD, ":joy: :Kekw: :-1::skin-tone-2:!", "😂 Kekw 👎!", "Kekw"),
        (discord.PAYLOAD, "</ban user:1><@&5> <t:1> ||x|| < 3", "/ban user@role x < 3", ""),
        (discord.PAYLOAD, "<:a:1>", "<:a:1>", ""),
        (discord.PAYLOAD, "<:aa:1>b<a:cc:2>", "aa b cc", "aa cc"),
        (discord.PAYLOAD, "\x1e\x1f<:aa:1>\x1f", "aa", "aa"),
        (mastodon.PAYLOAD, "<p>a<br>b &#39;c&#39;</p><script>d</script>", "a b 'c' d", ""),
        (x.PAYLOAD, "a &quot;b&quot; &nbsp;c", 'a "b" c', ""),
    ],
)  # fmt: skip
def test_markup(payload: Payload, text: str, plain: str, emotes: str) -> None:
    """Each platform's way of writing mentions, links and emotes gives way to what a person reads."""
    texts = pa.array(["", text, "plain"])
    rewritten, found = rewrite(texts, payload)
    assert rewritten.to_pylist() == ["", plain, "plain"]
    assert found.to_pylist() == ["", emotes, ""]


def test_emotes_of_a_slice() -> None:
    """A part of an array is read from where it begins."""
    texts, emotes = take_emotes(pa.array([":zz:", ":yy: :fire:", "x"])[1:], SHORTCODE)
    assert [text.strip() for text in texts.to_pylist()] == ["yy  🔥", "x"]
    assert emotes.to_pylist() == ["yy", ""]
