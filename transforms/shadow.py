"""What strategies in shadow say beside the active one: a label and a score of each, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import SHADOWED
from transforms.buffers import constant
from transforms.kinds import MODEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.kinds import Kind
    from transforms.strategy import Strategy
    from transforms.verdict import Verdict

FAILED = "failed: "
_MAX_REASON = 200


def compare(
    kind: Kind, strategy: Strategy, verdict: Verdict, active: Verdict, rows: NDArray[np.int64]
) -> pa.RecordBatch:
    """Return a row of SHADOWED for each text on which the active strategy gave a verdict; `rows` are the texts' places.

    Where the strategy in shadow failed, `model` says why, and its label and score are empty.
    """
    active_values, _, texts = active.whole(kind)
    labels, scores = summary(kind, active_values)
    values, models, own = verdict.whole(kind)
    own_labels, own_scores = summary(kind, values)
    answered = np.isin(texts, own)
    at = pa.array(np.where(answered, np.searchsorted(own, texts), len(own)))
    if not answered.all():
        # One more entry, for the rows that it failed on.
        own_labels, own_scores, models = (
            pa.concat_arrays([column, pa.array([empty], column.type)])
            for column, empty in ((own_labels, ""), (own_scores, 0.0), (models, ""))
        )
        # Only the rows that failed: each has a reason of its own.
        reasons = [FAILED + verdict.failures[int(text)][:_MAX_REASON] for text in texts[~answered]]
        models = pc.replace_with_mask(models.take(at), pa.array(~answered), pa.array(reasons, pa.string()))
    else:
        models = models.take(at)
    columns = {
        "row": pa.array(rows[texts]),
        "kind": constant(kind.name, len(texts), pa.string()),
        "strategy": constant(strategy.name, len(texts), pa.string()),
        "model": models,
        "label": own_labels.take(at),
        "score": own_scores.take(at),
        "active_label": labels,
        "active_score": scores,
        "microseconds": constant(verdict.microseconds, len(texts), pa.float64()),
        "active_microseconds": constant(active.microseconds, len(texts), pa.float64()),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in SHADOWED.names], schema=SHADOWED)


def summary(kind: Kind, values: pa.Array) -> tuple[pa.StringArray, pa.DoubleArray]:
    """Say a kind's values in one label and one score a row ('' and 0 where it has none).

    sentiment: its label and that label's probability; toxicity: toxic or not, and the probability; entities: their ids
    in order, and how many names; stance: target=label of each target, and how many are not none; a kind of the user's
    own: its first text and its first number.
    """
    fields = dict(zip((part.name for part in kind.type), values.flatten(), strict=True)) if _is_struct(kind) else {}
    if kind.name == "sentiment":
        three = (fields[name] for name in ("negative", "neutral", "positive"))
        return fields["label"], pc.max_element_wise(*three)
    if kind.name == "toxicity":
        return pc.if_else(pc.equal(fields["toxic"], 1), "toxic", "not_toxic"), fields["probability"]
    if kind.name == "entities":
        return _joined(fields["links"]), pc.list_value_length(fields["names"]).cast(pa.float64())
    if kind.name == "stance":
        said = fields["labels"]
        pairs = pc.binary_join_element_wise(fields["targets"].flatten(), said.flatten(), "=")
        meant = pc.not_equal(said.flatten(), "none").to_numpy(zero_copy_only=False)
        owners = np.repeat(np.arange(len(said)), pc.list_value_length(said).to_numpy())
        counts = np.bincount(owners[meant], minlength=len(said)).astype(np.float64)
        return _joined(pa.ListArray.from_arrays(_from_zero(said), pairs)), pa.array(counts)
    texts = [column for name, column in (fields or {"": values}).items() if name != MODEL and _is_text(column)]
    numbers = [column for column in (fields or {"": values}).values() if not _is_text(column)]
    return (
        texts[0] if texts else constant("", len(values), pa.string()),
        numbers[0].cast(pa.float64()) if numbers else constant(0.0, len(values), pa.float64()),
    )


def _is_struct(kind: Kind) -> bool:
    return bool(pa.types.is_struct(kind.type))


def _is_text(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type))


def _joined(lists: pa.ListArray) -> pa.StringArray:
    return pc.binary_join(pa.ListArray.from_arrays(_from_zero(lists), lists.flatten()), " ")


def _from_zero(lists: pa.ListArray) -> pa.Int32Array:
    lengths = pc.list_value_length(lists).to_numpy()
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
