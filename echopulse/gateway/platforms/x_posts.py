"""Posts of X's filtered stream as fields: pure.

Fields: https://docs.x.com/x-api/posts/filtered-stream and its data dictionary
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from echopulse.gateway.connector import Fields

KINDS = ("message", "edit")
_MILLISECONDS = 1_000


def fields_of(frame: dict[str, Any]) -> Fields:
    """Read a frame that bears a post; its channel is the tag, or the id, of the first rule that it fits.

    Raises KeyError, TypeError or ValueError for one that lacks what was asked for.
    """
    post = frame["data"]
    versions = post.get("edit_history_tweet_ids") or []
    meta = {"kind": "message"}
    if len(versions) > 1:
        meta = {"kind": "edit", "target": versions[0]}
    rule = (frame.get("matching_rules") or [{}])[0]
    channel = rule.get("tag") or rule.get("id") or "stream"
    stamp = datetime.fromisoformat(post["created_at"]).timestamp()
    return Fields(post["id"], round(stamp * _MILLISECONDS), f"x-{channel}", post["author_id"], meta)
