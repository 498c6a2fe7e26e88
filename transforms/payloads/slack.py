"""Slack: the Events API, whole as it is delivered (also by Socket Mode) and its events alone.

Fields: https://docs.slack.dev/reference/events ; markup: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

from transforms.payloads.declaration import ANY, HTML_CHARACTERS, SHORTCODE, UNLISTED, Markup, Payload

_RICH_TEXT = "blocks[].elements[].elements[].text|:name:|url"
_SECTION = "blocks[].text.text"

PAYLOAD = Payload(
    sources=("slack",),
    roots=("payload.event", "event", ""),
    type=("subtype", "type"),
    kinds={
        "message": "message",
        "bot_message": "message",
        "me_message": "message",
        "file_share": "message",
        "thread_broadcast": "message",
        "message_changed": "edit",
        "message_deleted": "delete",
        "reaction_added": "reaction",
        "member_joined_channel": "join",
        "channel_join": "join",
        "group_join": "join",
        "team_join": "join",
        # These bear a text that nobody wrote.
        "app_mention": "other",
        "channel_leave": "other",
        "group_leave": "other",
        "channel_topic": "other",
        "channel_purpose": "other",
        "channel_name": "other",
        "message_replied": "other",
        UNLISTED: "other",
    },
    text={
        ANY: ("text", _RICH_TEXT, _SECTION),
        "edit": ("message.text", f"message.{_RICH_TEXT}", f"message.{_SECTION}"),
        "reaction": (":reaction:",),
    },
    target={"edit": ("message.ts",), "delete": ("deleted_ts", "previous_message.ts"), "reaction": ("item.ts",)},
    reply_to=("thread_ts", "message.thread_ts"),
    thread=("thread_ts", "message.thread_ts"),
    emote=SHORTCODE,
    markup=(
        Markup("<", r"<@[A-Z0-9]+(?:\|[^>]*)?>", "@user"),
        Markup("<", r"<#[A-Z0-9]+\|([^>]+)>", r"#\1"),
        Markup("<", r"<#[A-Z0-9]+\|?>", "channel"),
        Markup("<", r"<!(?:here|channel|everyone)(?:\|[^>]*)?>", "@everyone"),
        Markup("<", r"<![^|>]*\|([^>]*)>", r"\1"),
        Markup("<", r"<!subteam[^>]*>", "@group"),
        Markup("<", r"<(?:[a-z]+:[^|>]*)\|([^>]+)>", r"\1"),
        Markup("<", r"<([a-z]+:[^|>]*)\|?>", r"\1"),
        *HTML_CHARACTERS,
    ),
)
