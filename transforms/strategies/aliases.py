"""Entities by the alias table of the knowledge base, and new names by their shape."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from transforms.entities import find_entities
from transforms.kinds import ENTITIES
from transforms.knowledge_base import SHIPPED, alias_table, read_entities
from transforms.strategy import Context, Strategy


class Aliases(Strategy):
    """Known entities with their ids, hashtags, cashtags and mentions, as written, in order of appearance."""

    kind = "entities"
    name = "aliases"
    type = ENTITIES

    def open(self, context: Context) -> None:
        """Read the shipped knowledge base and, in the option `knowledge`, one of the user's own that is added to it."""
        entities = read_entities(SHIPPED)
        if "knowledge" in context.options:
            entities += read_entities(Path(context.options["knowledge"]))
        self._table = alias_table(entities)

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Spot the names of each text."""
        names, links = find_entities(batch.column("text"), batch.column("folded"), self._table)
        linked = pc.not_equal(links.flatten(), "").cast(pa.float64())
        scores = pa.ListArray.from_arrays(links.offsets, linked)
        return pa.StructArray.from_arrays([names, links, scores], fields=list(ENTITIES))
