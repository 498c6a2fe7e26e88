"""Entities by the alias table of the knowledge base, and new names by their shape."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from transforms.alias_table import alias_table
from transforms.entities import find_entities
from transforms.kinds import ENTITIES
from transforms.knowledge_base import SHIPPED, merge_entities, read_entities, read_plain_words
from transforms.strategy import Context, Strategy

#: Languages that write every noun with a capital: German, Luxembourgish. A capital tells no name there.
CAPITAL_NOUNS = ("de", "lb")


class Aliases(Strategy):
    """Known entities with their ids, hashtags, cashtags and mentions, as written, in order of appearance."""

    kind = "entities"
    name = "aliases"
    type = ENTITIES

    def open(self, context: Context) -> None:
        """Read the shipped knowledge base and, in the option `knowledge`, one of the user's own.

        An entity of the user's own whose id is a shipped one's replaces that.
        """
        entities = read_entities(SHIPPED)
        if "knowledge" in context.options:
            entities = merge_entities(entities, read_entities(Path(context.options["knowledge"])))
        self._table = alias_table(entities, read_plain_words())

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Spot the names of each text and link them."""
        nouns = pc.is_in(batch.column("language"), pa.array(CAPITAL_NOUNS)).to_numpy(zero_copy_only=False)
        found = find_entities(batch.column("text"), batch.column("folded"), self._table, ~nouns)
        return pa.StructArray.from_arrays(found, fields=list(ENTITIES))
