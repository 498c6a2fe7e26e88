"""The whole crowd of a scope, against which its terms are held: its pace, its growth, and how far back it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transforms.crowd_tables import estimate, united

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.crowd_tables import Tables

MINUTE_MS = 60_000
#: Minutes of the past that are looked at.
PAST_MINUTES = 5


@dataclass(frozen=True)
class Crowd:
    """Of each scope, by its panes: what is known of it. A pane's age is counted in panes before the last one.

    `scope` and `age` are of each table; `minutes` of the past that are known; `pace` is the messages by distinct user
    of the last minute; `quietest` the age of the last pane of the quietest earlier minute, `grown` by how many users
    (added up over panes) the last minute has more than it; `floors` [scopes, minutes] how many users a term may have
    had in each minute (0: the last one, which has none) without a place in its table.
    """

    panes_a_minute: int
    scope: NDArray[np.int64]
    age: NDArray[np.int64]
    minutes: NDArray[np.float64]
    pace: NDArray[np.float64]
    quietest: NDArray[np.int64]
    grown: NDArray[np.float64]
    floors: NDArray[np.float64]
    #: Users whom floods within its parts brought to the last minute, added up over panes.
    flooded: NDArray[np.float64]


def crowd_of(tables: Tables, scope: NDArray[np.int64], ends_ms: NDArray[np.int64], pane_ms: int) -> Crowd:
    """Return what is known of each scope, given the scope of each table and when each scope's last pane ends (ms)."""
    scopes, a_minute, blocks = len(ends_ms), MINUTE_MS // pane_ms, PAST_MINUTES + 1
    age = (ends_ms[scope] - tables.heads["end"]) // pane_ms
    oldest = np.zeros(scopes, np.int64)
    np.maximum.at(oldest, scope, np.minimum(age, blocks * a_minute - 1))
    kept = (age >= 0) & (age < blocks * a_minute)
    cell = scope[kept] * blocks * a_minute + age[kept]
    users = np.zeros(scopes * blocks * a_minute)
    users[cell] = estimate(tables.heads["heard_users"][kept])
    users = users.reshape(scopes, blocks * a_minute)
    quietest, grown = _growth(users, oldest, a_minute)
    last = kept & (age < a_minute)
    distinct = estimate(united(tables.heads["heard_users"][last], scope[last], scopes))
    messages = np.bincount(scope[last], tables.heads["heard"][last], scopes)
    floors = np.zeros((scopes, blocks))
    np.maximum.at(floors, (scope[kept], age[kept] // a_minute), tables.heads["cut"][kept])
    floors[:, 0] = 0
    minutes = np.clip((oldest + 1) / a_minute - 1, 0, PAST_MINUTES)
    flooded = np.bincount(scope[last], tables.heads["flooded"][last], scopes).astype(np.float64)
    return Crowd(a_minute, scope, age, minutes, messages / np.maximum(distinct, 1), quietest, grown, floors, flooded)


def _growth(
    users: NDArray[np.float64], oldest: NDArray[np.int64], a_minute: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the age at which the quietest earlier minute ends, and the last minute's users less that one's."""
    summed = np.concatenate([np.zeros((len(users), 1)), np.cumsum(users, axis=1)], axis=1)
    minute = summed[:, a_minute:] - summed[:, :-a_minute]
    known = np.arange(minute.shape[1]) + a_minute - 1 <= oldest[:, None]
    known[:, 0] = False
    before = np.where(known, minute, np.inf)
    quietest = before.argmin(axis=1)
    return quietest, np.where(known.any(axis=1), minute[:, 0] - before.min(axis=1), 0)
