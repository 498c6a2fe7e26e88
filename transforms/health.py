"""Community health: a score of 0 to 100 for each channel, made of parts that are told beside it.

A part is 100 where all is well and 0 where its measure reaches what is written behind it; the score is the mean of the
parts by their weights. Measures are of the last minutes (`MINUTES`), but growth, of the last minute against them.

| part | measure | 100 | 0 | weight |
|---|---|---|---|---|
| toxicity | share of messages that are toxic | none | a half | 0.30 |
| spread | share of users who wrote a toxic one | none | a half | 0.20 |
| civility | mean toxicity of replies | 0 | 1 | 0.15 |
| moderation | deletions a message | none | one in ten | 0.15 |
| diversity | entropy of the speakers by its greatest value (Shannon's evenness, Pielou 1966) | 1 | 0 | 0.10 |
| growth | log2 of the users of the last minute by those of a minute before | 2 (fourfold) | -2 (a quarter) | 0.10 |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transforms.crowd_tables import add_speakers, estimate, united

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.crowd_tables import Tables

PARTS = ("toxicity", "spread", "civility", "moderation", "diversity", "growth")
WEIGHTS = np.array([0.30, 0.20, 0.15, 0.15, 0.10, 0.10])
MINUTES = 5
#: With fewer messages nothing is told.
LEAST_MESSAGES = 20
_MINUTE_MS = 60_000
_TOXIC_AT_WORST, _SPREAD_AT_WORST, _DELETIONS_AT_WORST, _GROWTH_RANGE = 0.5, 0.5, 0.1, 2.0


@dataclass(frozen=True)
class Health:
    """Scores of channels, each 0 to 100, their parts and what these measure [channels, PARTS], NaN where unknown.

    `scope` is the number of the list of tables that a channel's figures come from.
    """

    scope: NDArray[np.int64]
    score: NDArray[np.float64]
    parts: NDArray[np.float64]
    measures: NDArray[np.float64]
    messages: NDArray[np.int64]
    users: NDArray[np.float64]


def find_health(tables: Tables, scope: NDArray[np.int64], ends_ms: NDArray[np.int64]) -> Health:
    """Score each channel with messages enough, given its panes' tables and when its last pane ends (ms UTC).

    `scope` is the number of the channel of each table.
    """
    age = (ends_ms[scope] - tables.heads["end"]) // _MINUTE_MS
    kept = (age >= 0) & (age < MINUTES)
    measures, messages, users = _measures(tables, scope, age, kept, len(ends_ms))
    parts = _parts(measures)
    known = ~np.isnan(parts)
    weights = np.where(known, WEIGHTS, 0)
    score = (np.where(known, parts, 0) * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    told = np.flatnonzero(messages >= LEAST_MESSAGES)
    return Health(told, score[told], parts[told], measures[told], messages[told], users[told])


def evenness(counts: NDArray[np.float64], users: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy of each row of counts by the greatest that so many users could have; 1 for a single one."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    greatest = np.log(np.clip(np.maximum(users, (counts > 0).sum(axis=1)), 1, counts.shape[1]))
    return np.where(greatest > 0, np.minimum(entropy / np.where(greatest > 0, greatest, 1), 1), 1)


def _measures(
    tables: Tables, scope: NDArray[np.int64], age: NDArray[np.int64], kept: NDArray[np.bool_], scopes: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    heads, own = tables.heads[kept], scope[kept]

    def total(name: str) -> NDArray[np.float64]:
        return np.bincount(own, heads[name], scopes).astype(np.float64)

    messages, replies = total("messages"), total("replies")
    users = estimate(united(heads["users"], own, scopes))
    toxic_users = estimate(united(heads["toxic_users"], own, scopes))
    speakers = add_speakers(heads["speakers"], own, scopes).astype(np.float64)
    by_minute = estimate(united(heads["users"], own * MINUTES + age[kept], scopes * MINUTES)).reshape(scopes, MINUTES)
    earlier = (np.arange(MINUTES) > 0) & (by_minute > 0)
    before = (by_minute * earlier).sum(axis=1) / np.maximum(earlier.sum(axis=1), 1)
    measures = np.full((scopes, len(PARTS)), np.nan)
    some = np.maximum(messages, 1)
    measures[:, 0] = total("toxic") / some
    measures[:, 1] = np.minimum(toxic_users / np.maximum(users, 1), 1)
    replied = replies > 0
    measures[replied, 2] = (total("reply_toxicity") / np.maximum(replies, 1))[replied]
    measures[:, 3] = total("deletes") / some
    measures[:, 4] = evenness(speakers, users)
    grown = (before > 0) & (by_minute[:, 0] > 0)
    measures[grown, 5] = np.log2(by_minute[grown, 0] / before[grown])
    return measures, messages.astype(np.int64), users


def _parts(measures: NDArray[np.float64]) -> NDArray[np.float64]:
    toxicity, spread, civility, moderation, diversity, growth = measures.T
    worst = np.stack(
        [
            toxicity / _TOXIC_AT_WORST,
            spread / _SPREAD_AT_WORST,
            civility,
            moderation / _DELETIONS_AT_WORST,
            1 - diversity,
            0.5 - growth / (2 * _GROWTH_RANGE),
        ],
        axis=1,
    )
    parts: NDArray[np.float64] = 100 * (1 - np.clip(worst, 0, 1))
    return parts
