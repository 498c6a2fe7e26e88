"""Arrow schemas of the batches that travel between the layers."""

from __future__ import annotations

import pyarrow as pa

#: A batch of SocialEvents, decoded. `ts` is the event time in ms, UTC, null where the message has none.
EVENT = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("ts", pa.timestamp("ms", tz="UTC")),
        pa.field("source", pa.string(), nullable=False),
        pa.field("channel_id", pa.string(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("raw_payload", pa.binary(), nullable=False),
        pa.field("metadata", pa.map_(pa.string(), pa.string()), nullable=False),
    ]
)

#: What the analysis pass says of each record: one row a record, `stage` is '' where all went well,
#: 'heartbeat' for a record that only moves the watermark, else the stage that failed, with its reason.
#: `toxic` is 0 or 1 by the model's own threshold, `sentiment_score` is -1, 0 or 1. `user_key` and `text_key` are 32-bit
#: hashes of user id and normalised text, for counting distinct ones; `user_key` is null where there is no user.
#: `text` is the text that was analysed, in Unicode NFKC, and `emotes` the platform's codes in it, between spaces.
#: `target` is the event that an edit, a delete or a reaction is about, `reply_to` the one that a message answers.
#: `model_<kind>` says what scored: a model's digest, `strategy:<name>`, `abstained:<language>`, or '' if nothing did.
#: `score_<label>` is NaN where what scored has no such label; the result's `scores` then leave it out.
#: `other_scores` (by `kind` or `kind.field`), `other_labels` and `other_models` are of kinds that users bring.
ANALYSED = pa.schema(
    [
        pa.field("stage", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("event_id", pa.string()),
        pa.field("channel_id", pa.string()),
        pa.field("user_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("target", pa.string()),
        pa.field("reply_to", pa.string()),
        pa.field("text", pa.string()),
        pa.field("emotes", pa.string()),
        pa.field("language", pa.string()),
        pa.field("sentiment", pa.string()),
        pa.field("toxicity", pa.float64()),
        pa.field("entities", pa.list_(pa.string())),
        pa.field("entity_links", pa.list_(pa.string())),
        pa.field("entity_scores", pa.list_(pa.float64())),
        pa.field("cluster", pa.string()),
        pa.field("stance_targets", pa.list_(pa.string())),
        pa.field("stance_labels", pa.list_(pa.string())),
        pa.field("score_negative", pa.float64()),
        pa.field("score_neutral", pa.float64()),
        pa.field("score_positive", pa.float64()),
        pa.field("score_hate", pa.float64()),
        pa.field("score_offensive", pa.float64()),
        pa.field("other_scores", pa.map_(pa.string(), pa.float64())),
        pa.field("other_labels", pa.map_(pa.string(), pa.string())),
        pa.field("model_sentiment", pa.string()),
        pa.field("model_toxicity", pa.string()),
        pa.field("model_stance", pa.string()),
        pa.field("model_entities", pa.string()),
        pa.field("model_cluster", pa.string()),
        pa.field("other_models", pa.map_(pa.string(), pa.string())),
        pa.field("toxic", pa.int32()),
        pa.field("sentiment_score", pa.int32()),
        pa.field("emoji_count", pa.int32()),
        pa.field("user_key", pa.int32()),
        pa.field("text_key", pa.int32()),
    ]
)

#: What a strategy in shadow says of a row of a batch beside the active one of its kind; `row` is its place there,
#: `microseconds` the time that its batch took, a text of it.
SHADOWED = pa.schema(
    [
        pa.field("row", pa.int64()),
        pa.field("kind", pa.string()),
        pa.field("strategy", pa.string()),
        pa.field("model", pa.string()),
        pa.field("label", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("active_label", pa.string()),
        pa.field("active_score", pa.float64()),
        pa.field("microseconds", pa.float64()),
        pa.field("active_microseconds", pa.float64()),
    ]
)

#: What crosses from the analysis pass into Flink for each record: the key columns, what windows aggregate, and the
#: whole AnalysisResult as one Avro datum. Narrow on purpose: each column costs every operator behind it.
EXCHANGED = pa.schema(
    [
        *(
            ANALYSED.field(name)
            for name in (
                "stage",
                "reason",
                "event_id",
                "channel_id",
                "user_id",
                "kind",
                "target",
                "toxicity",
                "toxic",
                "sentiment_score",
                "emoji_count",
                "user_key",
                "text_key",
            )
        ),
        pa.field("result", pa.binary()),
    ]
)

#: The same where strategies run in shadow: behind it, a list of ShadowResults (Avro datums) a record.
EXCHANGED_WITH_SHADOW = EXCHANGED.append(pa.field("shadow", pa.list_(pa.binary())))


def exchanged(*, shadow: bool, digest: bool) -> pa.Schema:
    """Return what crosses: EXCHANGED, then `shadow` where strategies run in shadow, then the crowd's `digest`."""
    schema = EXCHANGED_WITH_SHADOW if shadow else EXCHANGED
    return schema.append(pa.field("digest", pa.binary())) if digest else schema
