"""What features are about."""

from __future__ import annotations

from feast import Entity, ValueType

CHANNEL = Entity(
    name="channel",
    join_keys=["channel_id"],
    value_type=ValueType.STRING,
    description="A place where people talk: a Twitch channel, a Discord channel, a Slack channel, an X community",
)
USER = Entity(
    name="user",
    join_keys=["user_id"],
    value_type=ValueType.STRING,
    description="A person, as the platform names them",
)
