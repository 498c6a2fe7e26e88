"""Discord's dispatches as fields: pure, {"t", "d"} in, what EchoPulse says of it out.

Fields: https://discord.com/developers/docs/events/gateway-events . A message's id is Discord's own; the others have
none, so that theirs are made of what they are about, and the same in a dispatch that comes again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from echopulse.gateway.connector import Fields

#: Kinds by the dispatch's name.
KINDS = {
    "MESSAGE_CREATE": "message",
    "MESSAGE_UPDATE": "edit",
    "MESSAGE_DELETE": "delete",
    "MESSAGE_DELETE_BULK": "delete",
    "MESSAGE_REACTION_ADD": "reaction",
    "GUILD_MEMBER_ADD": "join",
}
#: The ms since 1970 from which Discord's ids count: https://discord.com/developers/docs/reference#snowflakes
_EPOCH_MS, _TIME_SHIFT = 1_420_070_400_000, 22
#: Types of messages that somebody wrote: default, answer, slash command, first of a thread, context menu.
_ANSWER = 19
_WRITTEN = frozenset({0, _ANSWER, 20, 21, 23})
_MILLISECONDS = 1_000


def fields_of(name: str, data: dict[str, Any], now_ms: int) -> list[Fields]:
    """Read a dispatch; several for a deletion of many messages, none for what is no event.

    `now_ms` (UTC) stands for the time of deletions and reactions, which Discord does not tell. Raises KeyError,
    TypeError or ValueError for a dispatch that lacks what its name always has.
    """
    kind = KINDS.get(name)
    if kind is None:
        return []
    if kind == "join":
        user, guild, stamp = data["user"]["id"], data["guild_id"], _ms(data["joined_at"])
        return [Fields(f"{guild}-{user}-{stamp}", stamp, f"discord-{guild}", user, {"kind": kind})]
    channel = f"discord-{data['channel_id']}"
    if kind == "delete":
        gone = data["ids"] if name == "MESSAGE_DELETE_BULK" else [data["id"]]
        return [Fields(f"{own}-delete", now_ms, channel, "", {"kind": kind, "target": own}) for own in gone]
    if kind == "reaction":
        emoji = data["emoji"].get("id") or data["emoji"]["name"]
        own = f"{data['message_id']}-{data['user_id']}-{emoji}"
        return [Fields(own, now_ms, channel, data["user_id"], {"kind": kind, "target": data["message_id"]})]
    return _message(kind, data, channel)


def _message(kind: str, data: dict[str, Any], channel: str) -> list[Fields]:
    if data.get("type", 0) not in _WRITTEN:
        return []
    meta, own = {"kind": kind}, data["id"]
    stamp = (int(own) >> _TIME_SHIFT) + _EPOCH_MS
    if kind == "edit":
        # Without a time of editing it is Discord itself that added a preview.
        if not data.get("edited_timestamp"):
            return []
        stamp = _ms(data["edited_timestamp"])
        meta["target"], own = own, f"{own}-{stamp}"
    answered = data.get("message_reference") or {}
    if data.get("type") == _ANSWER and answered.get("message_id"):
        meta["reply_to"] = answered["message_id"]
    if data.get("position") is not None:
        # Only messages in a thread have one. A thread is a channel, with the id of the message that it hangs on.
        meta["thread"] = data["channel_id"]
    return [Fields(own, stamp, channel, data["author"]["id"], meta)]


def _ms(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * _MILLISECONDS)
