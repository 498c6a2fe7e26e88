"""Trends: what counts as one, what does not, and the simulator's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import ground_truth, simulate
from tests.transforms.crowd import BYTES, PANE_MS, digested, panes_of, simulated, tables_of
from transforms.crowd_tables import read_table_lists
from transforms.trends import Trends, find_trends
from transforms.trends_crowd import MINUTE_MS, PAST_MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_PANES = (PAST_MINUTES + 1) * MINUTE_MS // PANE_MS
_START_MS = 1_700_000_000_000 // PANE_MS * PANE_MS
_WORDS = ("run", "boss", "song", "level", "music", "stream", "clip", "goal", "patch", "jump", "door", "map")


def _ranked(
    tables: Iterator[tuple[int, dict[str, bytes]]],
) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Yield each pane's end and the ranked terms by scope."""
    history: dict[str, list[bytes]] = {}
    for end, scopes in tables:
        for scope, table in scopes.items():
            history[scope] = [*history.get(scope, []), table][-_PANES:]
        lists = pa.array([history[scope] for scope in scopes], BYTES)
        found = find_trends(*read_table_lists(lists), np.full(len(scopes), end), PANE_MS)
        yield end, {scope: _of(found, place) for place, scope in enumerate(scopes)}


def _of(found: Trends, scope: int) -> list[str]:
    return [surface.decode() for surface in found.surface[found.scope == scope].tolist()]


def _chat(extra: dict[int, list[dict[str, Any]]], panes: int = 18) -> dict[int, list[str]]:
    """The trends of one channel, by pane, with sixty messages of chatter in each and `extra` beside them."""
    rows: list[dict[str, Any]] = []
    times: list[int] = []
    for pane in range(panes):
        own = [
            {"user_key": 100 + (pane * 37 + n * 7) % 400, "text": f"{_WORDS[n % 12]} {_WORDS[(n * 5 + pane) % 12]}"}
            for n in range(60)
        ]
        own += extra.get(pane, [])
        rows += own
        times += [_START_MS + pane * PANE_MS + n for n in range(len(own))]
    ranked = _ranked(tables_of(panes_of([(digested(rows), np.array(times, np.int64))])))
    return {(end - _START_MS) // PANE_MS - 1: scopes["c"] for end, scopes in ranked}


def _each(text: str, users: range, **fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any field of a message
    return [{"user_key": user, "text": text.format(user=_WORDS[user % 12]), **fields} for user in users]


def test_many_users_make_a_trend_and_it_decays() -> None:
    """A term that forty people use in their own words is first; twenty seconds after the last of them it is gone."""
    trends = _chat({15: _each("the #newthing {user}", range(1, 41))}, panes=23)
    assert trends[15][0] == "#newthing"
    assert trends[16][0] == "#newthing"
    assert all("#newthing" not in trends[pane] for pane in (*range(15), *range(17, 23)))


@pytest.mark.parametrize(
    "flood",
    [
        [{"user_key": 7, "text": f"#mine {_WORDS[n % 12]} {_WORDS[n // 12]}"} for n in range(60)],
        _each("join #mine for gifts", range(1, 41)),
        [{"user_key": 1 + n % 5, "text": f"#mine {_WORDS[n % 12]} {_WORDS[n // 12]}"} for n in range(100)],
        [{"user_key": 1 + n, "text": f"#mine {n} 🔥 @someone{n}"} for n in range(40)],
    ],
    ids=["one user", "copies", "five accounts", "copies with numbers and mentions"],
)
def test_a_flood_is_no_trend(flood: list[dict[str, Any]]) -> None:
    """One user, a few, or copies of one text, are not many people."""
    assert all("#mine" not in terms for terms in _chat({15: flood, 16: flood}).values())


def test_nothing_is_told_before_there_is_a_past() -> None:
    """In the first minutes everything would be new."""
    trends = _chat({2: _each("the #newthing {user}", range(1, 41))})
    assert all(not trends[pane] for pane in range(6))


def test_what_was_always_there_is_no_trend() -> None:
    """A term whose use does not change never bursts."""
    assert not any(_chat({}).values())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2, 3, 7])
def test_the_planted_trend_is_found_and_the_planted_floods_are_not(seed: int) -> None:
    """Within 60 s the hashtag is in the top 3 of its channels and over all; spam, raid and brigade never are."""
    scenario = load_scenario()
    planted = ground_truth(scenario, start_ms=_START_MS, duration_s=600)
    trend = next(phase for phase in planted if phase.kind == "trend")
    names = sorted({name for channel in scenario.channels for name in channel.entities} | {"Mira Plays"})
    batches = simulate(scenario, start_ms=_START_MS, seed=seed, duration_s=600)
    first: dict[str, int] = {}
    for end, scopes in _ranked(tables_of(panes_of(simulated(batch, names) for batch in batches))):
        for scope, terms in scopes.items():
            if trend.hashtag in terms[:3]:
                first.setdefault(scope, end - trend.start_ms)
            told = {word for term in terms[:3] for word in term.lower().split()}
            for phase in planted:
                if phase.start_ms < end <= phase.end_ms + MINUTE_MS and scope in {*phase.channels, ""}:
                    assert not told & _FLOODS.get(phase.kind, set()), (scope, end - _START_MS, terms[:3])
    assert set(first) == {*trend.channels, ""}
    assert max(first.values()) <= 60_000, first


#: What only the planted messages of a kind say.
_FLOODS = {
    "spam": {"gift", "cards", "primes", "viewers", "followers", "famous", "copy", "luck", "free", "buy"},
    "raid": {"raid", "raiders", "night", "shift", "owls", "peace"},
    "brigading": {"mira", "plays", "unfollow", "cancel", "report", "ashamed"},
    "hype": {"omg", "cracked", "goosebumps", "poggers", "vamoooos", "gooooool", "creo", "wwwwwww"},
}
