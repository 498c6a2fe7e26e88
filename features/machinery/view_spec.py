"""What a feature view declares and what it compiles to: plain data, picklable, without Feast."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: The types of a feature value, as Arrow names them; Feast calls the second one DOUBLE.
FeatureType = Literal["int64", "float64", "string"]

#: The column that carries the event time of a feature row: the end of its window.
EVENT_TIMESTAMP = "event_timestamp"


@dataclass(frozen=True)
class AggregationSpec:
    """One aggregation over `column` in windows of `window_ms`, one every `slide_ms`; `name` is its output column.

    `parameter` is the number that the view's tags give it: a percentile's share, how many values of a ranking.
    """

    name: str
    function: str
    column: str
    window_ms: int
    slide_ms: int
    parameter: float | None = None


@dataclass(frozen=True)
class Column:
    """A named, typed column: a feature or a join key."""

    name: str
    type: FeatureType


@dataclass(frozen=True)
class ViewSpec:
    """A feature view as declared: keys, features, aggregations, and the expressions that its tags carry.

    `derived` maps a feature to an expression over aggregations; `filter` is a condition over input columns.
    """

    name: str
    join_keys: tuple[Column, ...]
    features: tuple[Column, ...]
    aggregations: tuple[AggregationSpec, ...]
    derived: dict[str, str] = field(default_factory=dict)
    filter: str = ""
    ttl_s: int = 0


@dataclass(frozen=True)
class ViewSchema:
    """What a writer or reader of feature rows must know of a view: its name, keys and typed features."""

    name: str
    join_keys: tuple[Column, ...]
    features: tuple[Column, ...]
    ttl_s: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a feature row, in order: join keys, features, event timestamp."""
        return (*(column.name for column in (*self.join_keys, *self.features)), EVENT_TIMESTAMP)


@dataclass(frozen=True)
class Panes:
    """A table that views share: partial aggregates of every key in each step of time. `name` is what `sql` is named."""

    name: str
    sql: str


@dataclass(frozen=True)
class CompiledView:
    """A view and its Flink SQL. The query's columns are `schema.columns`, its event timestamp the window's end.

    `window_ms` and `slide_ms` are the size and the step of its windows, which are aligned to the epoch. `panes` are the
    tables that it stands on, each made of one before; the query reads the last of them.
    """

    schema: ViewSchema
    sql: str
    window_ms: int
    slide_ms: int
    panes: tuple[Panes, ...] = ()

    @property
    def name(self) -> str:
        """The view's name."""
        return self.schema.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The query's columns, in order."""
        return self.schema.columns
