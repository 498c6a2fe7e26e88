"""Who may read which events of Twitch's, and the asking for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from twitchAPI.helper import first
from twitchAPI.oauth import validate_token
from twitchAPI.twitch import Twitch
from twitchAPI.type import AuthScope

from echopulse.gateway.http_status import refused
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twitchAPI.eventsub.websocket import EventSubWebsocket

NEW_TOKEN = "make a new user token for this app, and name it by env:VARIABLE"  # noqa: S105
#: The scope that each event needs, and how its subscription is asked for.
SCOPES = {
    "chat": AuthScope.USER_READ_CHAT,
    "delete": AuthScope.USER_READ_CHAT,
    "cheer": AuthScope.BITS_READ,
    "follow": AuthScope.MODERATOR_READ_FOLLOWERS,
    "raid": None,
}


class Addresses(NamedTuple):
    """Where Twitch is."""

    socket: str
    api: str
    auth: str


async def authorised(app: str, token: str, events: Sequence[str], addresses: Addresses) -> Twitch:
    """Check the token and its scopes. Raises ConnectionLostError and EchoPulseError."""
    # One of the library's own it would leave open where the request fails.
    async with aiohttp.ClientSession() as session:
        valid = await validate_token(token, session=session, auth_base_url=addresses.auth)
    status = valid.get("status", HTTPStatus.OK)
    if status == HTTPStatus.UNAUTHORIZED:
        raise EchoPulseError(f"Twitch refused the token: {valid.get('message', '')}", NEW_TOKEN)
    if status != HTTPStatus.OK:
        raise refused(addresses.auth, status)
    if valid.get("client_id") != app or "user_id" not in valid:
        raise EchoPulseError("the token is no user's token for this client_id", NEW_TOKEN)
    for event in events:
        scope = SCOPES[event]
        if scope is not None and scope not in valid["scopes"]:
            hint = f"make a user token with it and name it by env:VARIABLE, or leave '{event}' out of `events`"
            raise EchoPulseError(f"the token lacks the scope {scope.value}", hint)
    twitch = Twitch(app, authenticate_app=False, base_url=addresses.api, auth_base_url=addresses.auth)
    twitch.auto_refresh_auth = False
    await twitch.set_user_authentication(token, valid["scopes"], validate=False)
    return twitch


async def subscribe(socket: EventSubWebsocket, twitch: Twitch, channels: Sequence[str], events: Sequence[str]) -> None:
    """Ask for the events of channels. Raises EchoPulseError for a channel that Twitch does not know."""

    async def taken(event: object) -> None:
        """Do nothing: the notification was taken as it came."""

    own = await first(twitch.get_users())
    found = {user.login: user.id async for user in twitch.get_users(logins=list(channels))}
    for channel in channels:
        if own is None or channel not in found:
            raise EchoPulseError(f"Twitch has no channel '{channel}'", "a channel is named by its login, in lower case")
        there = found[channel]
        asked = {
            "chat": lambda there=there: socket.listen_channel_chat_message(there, own.id, taken),
            "delete": lambda there=there: socket.listen_channel_chat_message_delete(there, own.id, taken),
            "cheer": lambda there=there: socket.listen_channel_cheer(there, taken),
            "follow": lambda there=there: socket.listen_channel_follow_v2(there, own.id, taken),
            "raid": lambda there=there: socket.listen_channel_raid(taken, to_broadcaster_user_id=there),
        }
        for event in events:
            await asked[event]()
