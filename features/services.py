"""The feature services, and the one file that Feast reads in this folder (see .feastignore).

Feast collects what a file's namespace holds. All definitions come here through the package, so that none exists
twice, once as `views` and once as `features.views`, whatever the folder Feast was started in.
"""

from __future__ import annotations

from feast import FeatureService

from features.entities import CHANNEL, USER
from features.views import CHANNEL_1H, CHANNEL_1M, CHANNEL_5M, USER_1H, USER_1M, USER_5M

CHANNEL_LIVE = FeatureService(
    name="channel_live",
    features=[CHANNEL_1M, CHANNEL_5M, CHANNEL_1H],
    description="How a channel is doing, over a minute, five minutes and an hour; read with full_feature_names=True",
)
USER_LIVE = FeatureService(
    name="user_live",
    features=[USER_1M, USER_5M, USER_1H],
    description="How a user behaves, over a minute, five minutes and an hour; read with full_feature_names=True",
)

__all__ = [
    "CHANNEL",
    "CHANNEL_1H",
    "CHANNEL_1M",
    "CHANNEL_5M",
    "CHANNEL_LIVE",
    "USER",
    "USER_1H",
    "USER_1M",
    "USER_5M",
    "USER_LIVE",
]
