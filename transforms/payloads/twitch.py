"""Twitch: EventSub notifications, whole as the WebSocket or a webhook sends them, and their events alone.

Fields: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types
"""

from __future__ import annotations

from transforms.payloads.declaration import ANY, UNLISTED, Payload

PAYLOAD = Payload(
    sources=("twitch",),
    roots=("payload", ""),
    type=("subscription.type",),
    kinds={
        "channel.chat.message": "message",
        "channel.cheer": "message",
        "channel.subscription.message": "message",
        "channel.chat.message_delete": "delete",
        "channel.raid": "join",
        "channel.follow": "join",
        "channel.subscribe": "join",
        "channel.subscription.gift": "join",
        UNLISTED: "other",
    },
    text={ANY: ("event.message.text", "event.message", "message.text")},
    shapes=(("message", "message.text"), ("delete", "message_id")),
    target={"delete": ("event.message_id", "message_id")},
    reply_to=("event.reply.parent_message_id", "reply.parent_message_id"),
    thread=("event.reply.thread_message_id", "reply.thread_message_id"),
    emotes=("event.message.fragments[type=emote].text", "message.fragments[type=emote].text"),
)
