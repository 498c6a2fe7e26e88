"""Trends: terms that many distinct people suddenly use, by channel and over all.

Of a term in the last minute, `users` is how many distinct users wrote it and `texts` in how many distinct wordings;
its voices are v = min(users, texts), so that one user, or copies of one text, count once. With k minutes of the past
known and x voices in them, the voices to be expected are mu = (x + a) / (k + b), the mean of a Gamma(a, b) prior
brought up to date by Poisson counts, and the burst is the z score of that prediction,

    z = (v - mu) / sqrt(mu (1 + 1 / (k + b)) + 1),

where the 1 is the weight of a single voice, lest the rarest words burst most. A minute whose table had no room for the
term counts with what it may have had there. A term is a trend where z and v
reach their least values and it is
- not copied: users write it in at least sqrt(users) wordings, as few as Heaps' law leaves to people's own words;
- not forced: its messages by distinct user are less than `FLOOD` times the scope's, or less than `FLOOD_LEAST`;
- not borne by a surge of the whole scope: since its quietest minute the term has gained at least a quarter of the users
  whom the scope has gained otherwise than by its largest flood;
- not ebbing: in a pane of the minute's last third it has at least a third of the users of its busiest pane, lest what
  a surge hid be told when both are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transforms.crowd_tables import copied, estimate, united
from transforms.trends_crowd import crowd_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.crowd_tables import Tables
    from transforms.trends_crowd import Crowd

#: The prior: a voices in b minutes.
PRIOR_VOICES, PRIOR_MINUTES = 0.5, 0.25
LEAST_VOICES, LEAST_BURST = 5.0, 4.0
#: Without so many minutes of the past nothing is told, for everything would be new.
LEAST_MINUTES = 1.5
SHARE_OF_GROWTH = 0.25
FLOOD, FLOOD_LEAST = 1.5, 3.0
EBB = 1 / 3
TOP = 10


@dataclass(frozen=True)
class Trends:
    """Trends of some scopes, in order of scope and rank; `scope` is the number of the list of tables they come from.

    `messages`, `users` and `texts` are of the last minute, `expected` the voices that the past let expect.
    """

    scope: NDArray[np.int64]
    surface: NDArray[np.bytes_]
    kind: NDArray[np.uint8]
    burst: NDArray[np.float64]
    messages: NDArray[np.int64]
    users: NDArray[np.float64]
    texts: NDArray[np.float64]
    expected: NDArray[np.float64]

    def pick(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Trends:
        """Return some of them."""
        return Trends(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def find_trends(tables: Tables, scope: NDArray[np.int64], ends_ms: NDArray[np.int64], pane_ms: int) -> Trends:
    """Rank the terms of each scope, given its panes' tables and when its last pane ends (ms UTC).

    `scope` is the number of the scope of each table.
    """
    crowd = crowd_of(tables, scope, ends_ms, pane_ms)
    kept = (crowd.age >= 0) & (crowd.age < crowd.floors.shape[1] * crowd.panes_a_minute)
    kept &= crowd.minutes[scope] >= LEAST_MINUTES
    rows = np.flatnonzero(kept[tables.table])
    entries, table = tables.entries[rows], tables.table[rows]
    found = _score(entries, scope[table], crowd.age[table], crowd)
    order = np.lexsort((found.surface, found.kind, -found.burst, found.scope))
    found = found.pick(order)
    return found.pick(_top(found.surface, found.scope))


def _score(entries: NDArray[np.void], scope: NDArray[np.int64], age: NDArray[np.int64], crowd: Crowd) -> Trends:
    """Return every term that is a trend, given the entries of the tables with their scope and age in panes."""
    minute = age // crowd.panes_a_minute
    order = np.lexsort((minute, entries["hash"], scope))
    order = order[_current(entries["hash"][order], scope[order], minute[order])]
    entries, scope, age, minute = entries[order], scope[order], age[order], minute[order]
    new_term = np.ones(len(order), np.bool_)
    new_term[1:] = (scope[1:] != scope[:-1]) | (entries["hash"][1:] != entries["hash"][:-1])
    new_block = new_term.copy()
    new_block[1:] |= minute[1:] != minute[:-1]
    term, block = np.cumsum(new_term) - 1, np.cumsum(new_block) - 1
    blocks, firsts = np.flatnonzero(new_block), np.flatnonzero(new_term)
    users = estimate(united(entries["users"], block, len(blocks)))
    texts = estimate(united(entries["texts"], block, len(blocks)))
    own, now = scope[firsts], block[firsts]
    total = np.bincount(term[blocks], np.minimum(users, texts) - crowd.floors[scope[blocks], minute[blocks]])
    users, texts = users[now], texts[now]
    voices = np.minimum(users, texts)
    past = total - voices + crowd.floors[own].sum(axis=1)
    spread = 1 / (crowd.minutes[own] + PRIOR_MINUTES)
    expected = (past + PRIOR_VOICES) * spread
    burst = (voices - expected) / np.sqrt(expected * (1 + spread) + 1)
    messages = np.bincount(term, np.where(minute == 0, entries["messages"], 0)).astype(np.int64)
    flood = copied(users, texts)
    flood |= messages / np.maximum(users, 1) >= np.maximum(FLOOD * crowd.pace[own], FLOOD_LEAST)
    gains = _gains(entries, term, age, scope, crowd)
    flooded = crowd.flooded.copy()
    np.maximum.at(flooded, own[flood], gains[flood])
    candidates = (voices >= LEAST_VOICES) & (burst >= LEAST_BURST) & ~flood
    candidates &= gains >= SHARE_OF_GROWTH * (crowd.grown - flooded)[own]
    candidates &= ~_ebbs(entries, term, age, crowd.panes_a_minute)
    first = entries[firsts]
    found = Trends(own, first["surface"], first["kind"], burst, messages, users, texts, expected)
    return found.pick(candidates)


def _current(hashes: NDArray[np.int64], scope: NDArray[np.int64], minute: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each entry, ordered by scope, hash and minute, whether its term is used in the last minute."""
    if not len(hashes):
        return np.zeros(0, np.bool_)
    new = np.ones(len(hashes), np.bool_)
    new[1:] = (scope[1:] != scope[:-1]) | (hashes[1:] != hashes[:-1])
    firsts = np.flatnonzero(new)
    return np.repeat(minute[firsts] == 0, np.diff(np.append(firsts, len(hashes))))


def _gains(
    entries: NDArray[np.void], term: NDArray[np.int64], age: NDArray[np.int64], scope: NDArray[np.int64], crowd: Crowd
) -> NDArray[np.float64]:
    """Return each term's users of the last minute, added up over panes, less those of the scope's quietest minute."""
    quiet = (age >= crowd.quietest[scope]) & (age < crowd.quietest[scope] + crowd.panes_a_minute)
    sign = (age < crowd.panes_a_minute).astype(np.int64) - quiet
    counted = np.flatnonzero(sign)
    users = estimate(entries["users"][counted])
    return np.bincount(term[counted], users * sign[counted], int(term.max(initial=-1)) + 1).astype(np.float64)


def _ebbs(
    entries: NDArray[np.void], term: NDArray[np.int64], age: NDArray[np.int64], panes_a_minute: int
) -> NDArray[np.bool_]:
    """Say of each term whether all panes of the minute's last third have less than EBB of its busiest pane's users."""
    now = np.flatnonzero(age < panes_a_minute)
    users = estimate(entries["users"][now])
    busiest, latest = np.zeros((2, int(term.max(initial=-1)) + 1))
    np.maximum.at(busiest, term[now], users)
    lately = age[now] < max(1, panes_a_minute // 3)
    np.maximum.at(latest, term[now[lately]], users[lately])
    ebbing: NDArray[np.bool_] = latest < EBB * busiest
    return ebbing


def _top(surfaces: NDArray[np.bytes_], scope: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first TOP of each scope; a word of an entity or tag that ranks before it is not told twice."""
    # A loop over terms that passed every test, few of thousands.
    kept: list[int] = []
    shown: list[set[bytes]] = []
    for place, surface in enumerate(surfaces.tolist()):
        if not kept or scope[kept[-1]] != scope[place]:
            shown = []
        words = set(surface.lower().lstrip(b"#").split())
        if len(shown) < TOP and not any(words <= earlier or earlier <= words for earlier in shown):
            shown.append(words)
            kept.append(place)
    return np.array(kept, np.int64)
