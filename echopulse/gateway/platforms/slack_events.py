"""Slack's events as fields: pure, a payload of the Events API in, what the envelope of an event says out.

Fields: https://docs.slack.dev/reference/events . A message's id is its channel and `ts`, which is unique in the channel
only; an edit, a deletion and a reaction are named by their event's id, the same in every redelivery.
"""

from __future__ import annotations

from typing import Any

from echopulse.gateway.connector import Fields

#: Kinds by subtype, or by type where there is none.
KINDS = {
    "message": "message",
    "bot_message": "message",
    "me_message": "message",
    "file_share": "message",
    "thread_broadcast": "message",
    "message_changed": "edit",
    "message_deleted": "delete",
    "reaction_added": "reaction",
    "member_joined_channel": "join",
}
#: Types of events that say that the token is no longer good.
REVOKED = frozenset({"tokens_revoked", "app_uninstalled"})

_MILLISECONDS = 1_000


def fields_of(payload: dict[str, Any]) -> Fields | None:
    """Read a payload of type `event_callback`; None for an event that is none of KINDS.

    Raises KeyError, TypeError or ValueError for one that lacks what its type always has.
    """
    event = payload["event"]
    kind = KINDS.get(event.get("subtype") or event["type"])
    if kind is None:
        return None
    item = event.get("item") or {}
    if kind == "reaction" and "ts" not in item:
        return None  # to a file, which is no event here
    # A changed or deleted message stands within; others are the event itself.
    inner = event.get("message") or event.get("previous_message") or event
    channel = event.get("channel") or item["channel"]
    about = {"edit": lambda: inner["ts"], "delete": lambda: event["deleted_ts"], "reaction": lambda: item["ts"]}
    meta = {"kind": kind}
    if kind in about:
        meta["target"] = _message_id(channel, about[kind]())
    if thread := inner.get("thread_ts"):
        meta["reply_to"] = meta["thread"] = _message_id(channel, thread)
    own = _message_id(channel, event["ts"]) if kind == "message" else str(payload["event_id"])
    stamp = event.get("event_ts") or event["ts"]
    user = inner.get("user") or inner.get("bot_id") or event.get("user") or ""
    return Fields(own, round(float(stamp) * _MILLISECONDS), f"slack-{channel}", user, meta)


def type_of(payload: dict[str, Any]) -> str:
    """Return the type of the event in a payload; '' where it holds none."""
    return str((payload.get("event") or {}).get("type", ""))


def _message_id(channel: str, ts: str) -> str:
    return f"{channel}-{ts}"
