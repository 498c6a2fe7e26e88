"""Trends, conversations and health as Flink SQL: digests to panes, panes to minutes, minutes to the three topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.machinery.silence import LATER_MS
from pipelines import tables
from schemas import topics

if TYPE_CHECKING:
    from pipelines.config import SignalsConfig

#: A window of trends and health looks back so far: the last minute, and five before it.
_HISTORY_MS = 360_000
_MINUTE = "INTERVAL '1' MINUTE"
_TOPICS = {"trends": topics.TRENDS, "health": topics.HEALTH}

DIGESTS_VIEW = """CREATE TEMPORARY VIEW crowd_digests AS
SELECT et, channel_id, digest FROM analysis WHERE digest IS NOT NULL"""

ALL_VIEW = """CREATE TEMPORARY VIEW crowd_all AS
SELECT CAST('' AS STRING) AS channel_id, pane_time, crowd_merge(`tables`) AS terms
FROM (
  SELECT window_time AS pane_time, ARRAY_AGG(terms) AS `tables`
  FROM TABLE(TUMBLE(TABLE crowd_panes, DESCRIPTOR(pane_time), {pane}))
  GROUP BY window_start, window_end, window_time
)"""

# A window of a channel that has no newest pane is left out. Flink takes the branches of a union that stands in a window
# function itself for several inputs, and reads one.
SCOPES_VIEW = """CREATE TEMPORARY VIEW crowd_scopes AS
SELECT channel_id, pane_time, s.trends AS trends, s.health AS health
FROM (
  SELECT channel_id, pane_time, crowd_scope(channel_id, `tables`) AS s
  FROM (
    SELECT channel_id, window_time AS pane_time, ARRAY_AGG(terms) AS `tables`
    FROM TABLE(HOP((SELECT * FROM (
      SELECT channel_id, pane_time, terms FROM crowd_panes
      UNION ALL SELECT channel_id, pane_time, terms FROM crowd_all
    )), DESCRIPTOR(pane_time), {pane}, {history}))
    GROUP BY channel_id, window_start, window_end, window_time
    HAVING CAST(MAX(pane_time) AS TIMESTAMP_LTZ(3)) >= CAST(window_end - {pane} AS TIMESTAMP_LTZ(3))
  )
)"""


def definitions(config: SignalsConfig) -> tuple[str, ...]:
    """Return the statements that name the sinks and views."""
    return (
        tables.scopes_sink(config),
        tables.conversations_sink(config),
        DIGESTS_VIEW,
        panes_view(config.crowd_pane_ms),
        ALL_VIEW.format(pane=_interval(config.crowd_pane_ms)),
        SCOPES_VIEW.format(pane=_interval(config.crowd_pane_ms), history=_interval(_HISTORY_MS)),
        conversations_view(config.crowd_pane_ms),
    )


def inserts() -> tuple[str, ...]:
    """Return the statements that write the three topics; what there is nothing to say of is not said.

    Conversations have one of their own: in one statement with the others the planner would describe each pane twice.
    """
    scopes = (f"SELECT '{topic}', {_record(name, 'pane_time', 'crowd_scopes')}" for name, topic in _TOPICS.items())
    return (
        "INSERT INTO social_scopes\n" + "\nUNION ALL\n".join(scopes),
        "INSERT INTO social_conversations\nSELECT " + _record("conversations", "minute_time", "crowd_talk"),
    )


def panes_view(pane_ms: int) -> str:
    """Return the statement that names the panes: each channel's digests of a step of time, described once."""
    return f"""CREATE TEMPORARY VIEW crowd_panes AS
SELECT channel_id, pane_time, p.terms AS terms, p.sample AS sample, p.messages AS messages
FROM (
  SELECT channel_id, pane_time, crowd_pane(digests) AS p
  FROM (
    SELECT channel_id, window_time AS pane_time, ARRAY_AGG(digest) AS digests
    FROM TABLE(TUMBLE(TABLE crowd_digests, DESCRIPTOR(et), {_interval(pane_ms)}))
    GROUP BY channel_id, window_start, window_end, window_time
  )
)"""


def conversations_view(pane_ms: int) -> str:
    """Return the statement that names the conversations of each minute, found some seconds after it ended.

    By then the windows of users, of which as many end with the minute as in no other moment, are written. A pane's time
    is the last ms in it: a minute that is moved by less than a pane holds the same panes.
    """
    later_ms = LATER_MS if pane_ms > LATER_MS else 0
    moved = f", {_interval(later_ms)}" if later_ms else ""
    back = f" - {_interval(later_ms)}" if later_ms else ""
    return f"""CREATE TEMPORARY VIEW crowd_talk AS
SELECT channel_id, minute_time, crowd_conversations(channel_id, minute_time, samples, messages) AS conversations
FROM (
  SELECT channel_id, CAST(window_time{back} AS TIMESTAMP_LTZ(3)) AS minute_time, ARRAY_AGG(sample) AS samples,
    SUM(messages) AS messages
  FROM TABLE(TUMBLE(TABLE crowd_panes, DESCRIPTOR(pane_time), {_MINUTE}{moved}))
  GROUP BY channel_id, window_start, window_end, window_time
)"""


def _interval(milliseconds: int) -> str:
    return f"INTERVAL '0 {tables.clock_time(milliseconds)}' DAY TO SECOND(3)"


def _record(name: str, time: str, view: str) -> str:
    return f"""channel_id, `{name}`, {tables.schema_header(name)}, CAST({time} AS TIMESTAMP_LTZ(3))
FROM {view} WHERE `{name}` IS NOT NULL"""
