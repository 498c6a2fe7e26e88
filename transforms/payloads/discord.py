"""Discord: dispatches of the gateway, {"op", "t", "d"}, and their data alone.

Fields: https://discord.com/developers/docs/events/gateway-events
"""

from __future__ import annotations

from transforms.payloads.declaration import ANY, UNLISTED, Emote, Markup, Payload

PAYLOAD = Payload(
    sources=("discord",),
    roots=("d", ""),
    type=("t",),
    kinds={
        "MESSAGE_CREATE": "message",
        "MESSAGE_UPDATE": "edit",
        "MESSAGE_DELETE": "delete",
        "MESSAGE_REACTION_ADD": "reaction",
        "GUILD_MEMBER_ADD": "join",
        UNLISTED: "other",
    },
    # Data alone: a reaction names its emoji, an edited message the time of it, a deleted one has no text at all.
    shapes=(
        ("reaction", "emoji.name"),
        ("edit", "edited_timestamp"),
        ("message", "content"),
        ("message", "author.id"),
        ("delete", "id"),
    ),
    text={ANY: ("content", "sticker_items[].name"), "reaction": ("emoji.name",)},
    target={"edit": ("id",), "delete": ("id",), "reaction": ("message_id",)},
    reply_to=("message_reference.message_id", "referenced_message.id"),
    emote=Emote("<", r"<a?:(\w{2,32}):\d+>"),
    markup=(
        Markup("<", r"<@!?\d+>", "@user"),
        Markup("<", r"<@&\d+>", "@role"),
        Markup("<", r"<#\d+>", "channel"),
        Markup("<", r"<t:-?\d+(?::[tTdDfFR])?>", ""),
        Markup("<", r"</([^:<>]+):\d+>", r"/\1"),
        Markup("|", r"\|\|", ""),
    ),
)
