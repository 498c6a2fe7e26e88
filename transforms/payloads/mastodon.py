"""Mastodon: statuses as the streaming API sends them, whose content is HTML.

Fields: https://docs.joinmastodon.org/entities/Status
"""

from __future__ import annotations

from transforms.payloads.declaration import ANY, HTML_CHARACTERS, SHORTCODE, Markup, Payload

PAYLOAD = Payload(
    sources=("mastodon",),
    shapes=(("edit", "edited_at"),),
    text={ANY: ("content",)},
    target={"edit": ("id",)},
    reply_to=("in_reply_to_id",),
    language=("language",),
    emote=SHORTCODE,
    markup=(Markup("<", r"<br ?/?>|</p>", " "), Markup("<", r"<[a-z/][^<>]*>", ""), *HTML_CHARACTERS),
)
