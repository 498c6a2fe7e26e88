"""What a strategy says of a batch: languages it does not know, what scored, what failed."""

from __future__ import annotations

import pyarrow as pa

from transforms.conformance import batch_of
from transforms.kinds import declared_kind
from transforms.strategy import Strategy
from transforms.verdict import TextBatch, ask

_TYPE = pa.struct([("length", pa.int32()), ("model", pa.string())])


class _Length(Strategy):
    kind, name, type = "extent", "length", _TYPE
    languages: tuple[str, ...] | None = ("en", "de")

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        texts = batch.column("text").to_pylist()
        if "bad" in texts:
            raise ValueError("a bad one")
        return pa.array([{"length": len(text), "model": "m1" if len(text) > 1 else ""} for text in texts], _TYPE)


def _texts(*pairs: tuple[str, str]) -> TextBatch:
    batch = batch_of([text for text, _ in pairs])
    place = batch.schema.get_field_index("language")
    languages = pa.array([language for _, language in pairs], pa.string())
    return TextBatch(batch.set_column(place, batch.schema.field("language"), languages))


def test_another_language_is_abstained_from() -> None:
    """Known languages and undetermined texts are scored; the others have the neutral value and say why."""
    strategy = _Length()
    verdict = ask(
        declared_kind("extent", _TYPE), strategy, _texts(("ab", "en"), ("oui", "fr"), ("a", "und"), ("bad", "de"))
    )
    assert (verdict.rows.tolist(), verdict.abstained.tolist()) == ([0, 2], [1])
    values, models, rows = verdict.whole(declared_kind("extent", _TYPE))
    assert rows.tolist() == [0, 1, 2]
    assert [value["length"] for value in values.to_pylist()] == [2, 0, 1]
    assert models.to_pylist() == ["m1", "abstained:fr", "strategy:length"]
    assert verdict.failures == {3: "extent by 'length': ValueError: a bad one"}


def test_any_language_is_read_where_none_is_declared() -> None:
    """A strategy without languages gets the batch itself, and so do two that know the same languages."""
    texts = _texts(("ab", "fr"), ("a", "en"))
    strategy = _Length()
    first, _ = texts.known_to(strategy)
    assert texts.known_to(strategy)[0] is first
    strategy.languages = None
    assert texts.known_to(strategy)[0] is texts.batch
    assert ask(declared_kind("extent", _TYPE), strategy, texts).models.to_pylist() == ["m1", "strategy:length"]
