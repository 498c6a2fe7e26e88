"""Twitch's EventSub notifications as fields: pure.

Fields: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types . A chat message has an id of its own; others
are named by their notification's, which is the same where Twitch sends it again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from echopulse.gateway.connector import Fields

#: Kinds by subscription type.
KINDS = {
    "channel.chat.message": "message",
    "channel.cheer": "message",
    "channel.chat.message_delete": "delete",
    "channel.follow": "join",
    "channel.raid": "join",
}
_CHAT, _DELETE = "channel.chat.message", "channel.chat.message_delete"
_MILLISECONDS = 1_000


def fields_of(notification: dict[str, Any]) -> Fields | None:
    """Read a frame of type `notification`; None for a subscription that is none of KINDS.

    Raises KeyError, TypeError or ValueError for one that lacks what its type always has.
    """
    told, event = notification["metadata"], notification["payload"]["event"]
    name = notification["payload"]["subscription"]["type"]
    kind = KINDS.get(name)
    if kind is None:
        return None
    meta = {"kind": kind}
    if name == _DELETE:
        meta["target"] = event["message_id"]
    elif answered := event.get("reply"):
        meta |= {"reply_to": answered["parent_message_id"], "thread": answered["thread_message_id"]}
    # Of a raid the channel is the one that is raided, the user the one who leads it.
    login = event.get("broadcaster_user_login") or event["to_broadcaster_user_login"]
    people = ("chatter_user_id", "user_id", "target_user_id", "from_broadcaster_user_id")
    user = next((event[name] for name in people if event.get(name)), "")
    own = event["message_id"] if name == _CHAT else told["message_id"]
    stamp = datetime.fromisoformat(told["message_timestamp"]).timestamp()
    return Fields(own, round(stamp * _MILLISECONDS), f"twitch-{login}", user, meta)
