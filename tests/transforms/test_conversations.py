"""Conversations: topics apart, replies together, floods marked, and the labelled texts where they are at hand."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.transforms.crowd import messages_of
from transforms.conversations import Conversations, find_conversations
from transforms.terms import find_message_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.digest import Messages

_TOPICS = {
    "climate": ["carbon emissions warm the planet", "glaciers melt as the climate warms", "the planet and its climate",
                "less carbon, a cooler climate", "rising seas, melting ice, a warm planet"],
    "faith": ["pray to god every day", "the bible and the church", "god hears each prayer",
              "faith in god, faith in prayer", "jesus spoke in the church"],
    "football": ["what a goal by the striker", "the goalkeeper saved a penalty", "the referee gave a penalty",
                 "a goal in the last minute of the match", "the striker missed the match"],
}  # fmt: skip


def _found(rows: list[dict[str, Any]]) -> tuple[Messages, Conversations]:
    messages = messages_of(rows)
    return messages, find_conversations(messages, find_message_terms(messages))


def _mixed() -> list[dict[str, Any]]:
    rows = [
        {"event_id": f"{topic}-{place}", "user_key": 1 + place, "text": text}
        for topic, texts in _TOPICS.items()
        for place, text in enumerate(texts)
    ]
    return [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]


def nmi(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Normalised mutual information of two labellings: 2 I / (H1 + H2)."""
    first, second = np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]
    joint = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(joint, (first, second), 1 / len(first))

    def entropy(shares: NDArray[Any]) -> float:
        return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())

    apart = entropy(joint.sum(axis=1)) + entropy(joint.sum(axis=0))
    return 2 * (apart - entropy(joint.ravel())) / apart


def test_topics_are_told_apart() -> None:
    """What is said of one thing is one conversation; what is said of another is none of it."""
    messages, found = _found(_mixed())
    topics = [identity.split("-")[0] for identity in messages.ids.to_pylist()]
    told = [(topic, group) for topic, group in zip(topics, found.group.tolist(), strict=True) if group >= 0]
    assert len(told) >= 10
    pairs = Counter(told)
    most = {group: max(pairs[topic, group] for topic in _TOPICS) for _, group in told}
    assert sum(most.values()) >= 0.9 * len(told)
    assert len(most) >= 2


def test_the_order_of_arrival_plays_no_part() -> None:
    """The same messages in another order give the same groups."""
    rows = [dict(row, event_id=row["event_id"]) for row in _mixed()]
    times = {row["event_id"]: place for place, row in enumerate(rows)}
    turned = rows[::-1]
    one = messages_of(rows, [times[row["event_id"]] for row in rows])
    other = messages_of(turned, [times[row["event_id"]] for row in turned])
    assert one.ids.equals(other.ids)
    groups = [find_conversations(messages, find_message_terms(messages)) for messages in (one, other)]
    assert groups[0].group.tolist() == groups[1].group.tolist()
    assert groups[0].name.tolist() == groups[1].name.tolist()


def test_an_answer_follows_what_it_answers() -> None:
    """A reply that says nothing of its own is of the conversation that it replies to."""
    rows = [*_mixed(), {"event_id": "reply", "user_key": 50, "text": "hmm", "reply_to": "climate-1"}]
    messages, found = _found(rows)
    group = dict(zip(messages.ids.to_pylist(), found.group.tolist(), strict=True))
    assert group["reply"] == group["climate-1"] >= 0


def test_a_flood_is_marked_with_its_copies_and_users() -> None:
    """Thirty copies by ten users are one flood, and no conversation."""
    flood = [
        {"event_id": f"f{n}", "user_key": 100 + n % 10, "text": f"free gift cards for you {n} 🔥"} for n in range(30)
    ]
    messages, found = _found(_mixed() + flood)
    marked = np.flatnonzero(found.flood)
    assert len(marked) == 1
    assert found.size[marked[0]] == 30
    assert found.participants[marked[0]] == 10
    assert messages.ids[int(found.representative[marked[0]])].as_py().startswith("f")
    assert set(
        found.group[
            [place for place, own in enumerate(messages.ids.to_pylist()) if own[0] == "f" and own[1:].isdigit()]
        ].tolist()
    ) == {marked[0]}


def test_what_is_told_of_a_conversation() -> None:
    """Size, participants, mood and toxicity are those of its messages; its name is a term of it."""
    rows = [dict(row, sentiment_score=1, toxicity=0.5) for row in _mixed()]
    messages, found = _found(rows)
    assert (np.diff(found.size[~found.flood]) <= 0).all()
    for place in range(len(found.size)):
        own = found.group == place
        assert found.size[place] == own.sum()
        assert found.participants[place] == len(set(messages.user[own].tolist()))
        assert found.mood[place] == 1
        assert found.toxicity[place] == pytest.approx(0.5, abs=1e-4)
        assert own[found.representative[place]]
        assert found.first_ts[place] == messages.ts[own].min()
        assert found.last_ts[place] == messages.ts[own].max()


def test_no_messages() -> None:
    """A window of deletions alone has no conversation."""
    _, found = _found([{"kind": "delete"}])
    assert len(found.size) == 0


@pytest.mark.skipif("LABELLED_TEXTS" not in os.environ, reason="LABELLED_TEXTS names no folder of labelled texts")
@pytest.mark.parametrize(("split", "least"), [("train", 0.8), ("val", 0.5)])
def test_stance_texts_fall_apart_by_their_targets(split: str, least: float) -> None:
    """Mixed texts on five targets: what is in a conversation is in that of its target.

    The topics' vectors have seen the texts of `train` and not those of `val`.
    """
    table = pq.read_table(Path(os.environ["LABELLED_TEXTS"]) / f"stance.{split}.parquet")
    texts = [text.replace("#SemST", "") for text in table.column("text").to_pylist()]
    rows = [{"event_id": str(place), "user_key": place + 1, "text": text} for place, text in enumerate(texts)]
    messages, found = _found(rows)
    targets = np.array(table.column("target").to_pylist())[np.array(messages.ids.to_pylist(), np.int64)]
    grouped = found.group >= 0
    assert grouped.mean() > 0.6
    assert nmi(targets[grouped], found.group[grouped]) >= least
