"""Conversations: a channel's messages of one window, grouped by what they are about and whom they answer.

Messages are points: what their words are about, which words they share, drawn towards the message that they answer.
Groups are found by spherical k-means from dense and distant seeds; what is near no group stays outside. Floods of one
text are set apart before. The order of messages plays no part but for their event time.

A group's name is its leading term: the one that most sets it apart, users in the group times the logarithm of how much
more often it is used there than in the window. Its id is a hash of channel and name, so that a conversation that goes
on keeps its id in the next window without a memory of the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from transforms.digest import DELETE, REACTION
from transforms.floods import find_floods
from transforms.kernels.clusters import cluster
from transforms.topic_vectors import message_vectors, with_replies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.digest import Messages
    from transforms.terms import Terms

#: Cosines from which on two groups are one, and a message belongs to a group.
ALIKE, NEAR_ENOUGH = 0.55, 0.6
LEAST_SIZE = 3
#: Messages of a window from which seeds are drawn.
SAMPLED = 512
TERMS_TOLD = 5
#: Entities and hashtags name a conversation better than words.
_KIND_WEIGHTS = np.array([1.5, 1.5, 0.5, 1.0])


@dataclass(frozen=True)
class Conversations:
    """Groups of messages, ordered by window (`segment`), floods last, then by size.

    `group` is the row of each message's group, -1 for none; `terms` the rows in the occurrences of terms that name each
    group, one list a group; `representative` the row of the message that stands for it. `name` is the hash that its id
    is made from.
    """

    group: NDArray[np.int64]
    segment: NDArray[np.int64]
    flood: NDArray[np.bool_]
    size: NDArray[np.int64]
    participants: NDArray[np.int64]
    mood: NDArray[np.float64]
    toxicity: NDArray[np.float64]
    first_ts: NDArray[np.int64]
    last_ts: NDArray[np.int64]
    representative: NDArray[np.int64]
    name: NDArray[np.int64]
    terms: list[NDArray[np.int64]]


def find_conversations(messages: Messages, terms: Terms) -> Conversations:
    """Find the conversations and floods of each window (the `pane` of the messages)."""
    spoken = (messages.kind != DELETE) & (messages.kind != REACTION) & ~messages.beyond
    words = np.bincount(terms.rows, minlength=len(spoken))
    skeletons = np.where(spoken, terms.skeletons, 0)
    flood = find_floods(messages.pane, skeletons, words, messages.panes)
    labels, nearness = label_messages(messages, terms, spoken & (flood < 0))
    return _told(messages, terms, labels, flood, nearness)


def label_messages(
    messages: Messages, terms: Terms, which: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return each message's group, numbered by window (-1 for none), and how near its centre it is."""
    target = _targets(messages)
    vectors = with_replies(message_vectors(messages.texts, terms, messages.pane), target)
    vectors[~which] = 0
    starts = np.searchsorted(messages.pane, np.arange(messages.panes + 1)).astype(np.int64)
    labels = np.full(len(vectors), -1, np.int64)
    nearness = np.zeros(len(vectors), np.float32)
    sampled = _sampled(messages, which, starts)
    cluster(np.ascontiguousarray(vectors), sampled, starts, ALIKE, NEAR_ENOUGH, LEAST_SIZE, labels, nearness)
    _follow(labels, target, which)
    return labels, nearness


def _targets(messages: Messages) -> NDArray[np.int64]:
    """Return the row of the message that each one answers, -1 where that is not in its window."""
    order = np.lexsort((messages.event, messages.pane))
    target = np.full(len(order), -1, np.int64)
    answering = np.flatnonzero(messages.reply != 0)
    if not len(answering):
        return target
    keys = np.empty(len(order), [("pane", np.int64), ("event", np.int64)])
    keys["pane"], keys["event"] = messages.pane[order], messages.event[order]
    wanted = np.empty(len(answering), keys.dtype)
    wanted["pane"], wanted["event"] = messages.pane[answering], messages.reply[answering]
    place = np.minimum(np.searchsorted(keys, wanted), len(order) - 1)
    found = keys[place] == wanted
    target[answering[found]] = order[place[found]]
    return target


def _follow(labels: NDArray[np.int64], target: NDArray[np.int64], which: NDArray[np.bool_]) -> None:
    """Give a message without a group that of the message it answers."""
    following = np.flatnonzero((labels < 0) & (target >= 0) & which)
    labels[following] = labels[target[following]]


def _sampled(messages: Messages, which: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    rows = np.flatnonzero(which)
    order = rows[np.lexsort((messages.event[rows].view(np.uint64), messages.pane[rows]))]
    sizes = np.bincount(messages.pane[order], minlength=len(starts) - 1)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    sampled = np.zeros(len(which), np.bool_)
    sampled[order[place < SAMPLED]] = True
    return sampled


def _told(
    messages: Messages,
    terms: Terms,
    labels: NDArray[np.int64],
    flood: NDArray[np.int64],
    nearness: NDArray[np.float32],
) -> Conversations:
    flooding = flood >= 0
    # Groups are numbered anew: by window, conversations before floods.
    key = np.where(flooding, flood, labels)
    grouped = np.flatnonzero(key >= 0)
    keys = np.stack([messages.pane[grouped], flooding[grouped], key[grouped]])
    found, number = np.unique(keys, axis=1, return_inverse=True)
    size = np.bincount(number, minlength=found.shape[1])
    order = np.lexsort((-size, found[1], found[0]))
    rank = np.argsort(order)
    group = np.full(len(labels), -1, np.int64)
    group[grouped] = rank[number]
    segment, is_flood, size = found[0][order], found[1][order].astype(np.bool_), size[order]
    number = group[grouped]
    count = len(size)
    users = np.unique(np.stack([number, messages.user[grouped].astype(np.int64)]), axis=1)[0]
    first_ts, last_ts = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    np.minimum.at(first_ts, number, messages.ts[grouped])
    np.maximum.at(last_ts, number, messages.ts[grouped])
    nearest = np.where(is_flood[number], 0, nearness[grouped])
    by_group = np.lexsort((grouped, -nearest, number))
    representative = grouped[by_group[np.searchsorted(number[by_group], np.arange(count))]]
    leading = _leading_terms(terms, group, messages, segment)
    name = np.array([terms.hashes[own[0]] if len(own) else 0 for own in leading], np.int64)
    skeleton = terms.skeletons[representative] if count else name
    return Conversations(
        group,
        segment,
        is_flood,
        size,
        np.bincount(users, minlength=count),
        np.bincount(number, messages.mood[grouped], count) / np.maximum(size, 1),
        np.bincount(number, messages.toxicity[grouped], count) / np.maximum(size, 1),
        first_ts,
        last_ts,
        representative,
        np.where(is_flood | (name == 0), skeleton, name),
        leading,
    )


def _leading_terms(
    terms: Terms, group: NDArray[np.int64], messages: Messages, segment: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return for each group an occurrence of each of its leading terms, the most telling first."""
    count = len(segment)
    own = group[terms.rows]
    within = np.flatnonzero(own >= 0)
    keys = np.stack([own[within], terms.hashes[within]])
    found, first, number = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    pairs = np.unique(np.stack([number, messages.user[terms.rows[within]].astype(np.int64)]), axis=1)[0]
    users = np.bincount(pairs, minlength=found.shape[1])
    used = np.bincount(number, minlength=found.shape[1])
    window = np.stack([messages.pane[terms.rows], terms.hashes])
    over, over_number = np.unique(window, axis=1, return_inverse=True)
    over_used = np.bincount(over_number, minlength=over.shape[1])[over_number[within[first]]]
    sizes = np.bincount(group[group >= 0], minlength=count)
    window_sizes = np.bincount(messages.pane, minlength=messages.panes)
    lift = (used / sizes[found[0]]) / (over_used / window_sizes[segment[found[0]]])
    weight = users * np.log1p(np.maximum(lift, 0)) * _KIND_WEIGHTS[terms.kinds[within[first]]]
    order = np.lexsort((found[1], -weight, found[0]))
    starts = np.searchsorted(found[0][order], np.arange(count + 1))
    picked = within[first[order]]
    return [picked[start : min(start + TERMS_TOLD, end)] for start, end in pairwise(starts)]
