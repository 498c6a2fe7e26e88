"""YouTube: liveChatMessage resources of the Live Streaming API.

Fields: https://developers.google.com/youtube/v3/live/docs/liveChatMessages
"""

from __future__ import annotations

from transforms.payloads.declaration import ANY, SHORTCODE, UNLISTED, Payload

PAYLOAD = Payload(
    sources=("youtube",),
    type=("snippet.type",),
    kinds={
        "textMessageEvent": "message",
        "superChatEvent": "message",
        "superStickerEvent": "message",
        "memberMilestoneChatEvent": "message",
        "messageDeletedEvent": "delete",
        "newSponsorEvent": "join",
        "tombstone": "other",
        UNLISTED: "other",
    },
    text={
        ANY: (
            "snippet.textMessageDetails.messageText",
            "snippet.superChatDetails.userComment",
            "snippet.memberMilestoneChatDetails.userComment",
            "snippet.superStickerDetails.superStickerMetadata.altText",
            "snippet.displayMessage",
        )
    },
    target={"delete": ("snippet.messageDeletedDetails.deletedMessageId",)},
    emote=SHORTCODE,
)
