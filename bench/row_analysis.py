"""The analysis pass one event at a time, as people write it first; gives the rows of transforms.analysis.

Decoding, payloads, entities and Avro are plain Python; normalisation, languages and the model are called for one text.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import emoji
import fastavro
import pyarrow as pa
from google.protobuf.message import DecodeError

from bench.row_entities import RowEntities
from schemas.arrow import ANALYSED
from schemas.avro import schema
from schemas.social_event_pb2 import SocialEvent
from transforms.alias_table import alias_table
from transforms.artifact import STANCE, find_artifact
from transforms.bag import load_bag
from transforms.columns import blank
from transforms.extraction import DEFAULT_KIND, TEXT_FIELDS, TEXT_KINDS
from transforms.keys import narrow_keys, string_keys
from transforms.knowledge_base import SHIPPED, read_entities, read_plain_words
from transforms.language import identify
from transforms.languages.codes import UNDETERMINED
from transforms.normalisation import normalise
from transforms.screening import EARLIEST_MS, HEARTBEAT, LATEST_MS
from transforms.strategies.aliases import CAPITAL_NOUNS
from transforms.verdict import ABSTAINED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transforms.normalisation import NormalisedTexts

_BLANK: dict[str, Any] = {field.name: blank(field.type)[0].as_py() for field in ANALYSED}
_UNSCORED = _BLANK | {"sentiment": "unknown", "language": "und"}
_KINDS = ("sentiment", "toxicity", "stance", "entities", "cluster")
_SCORES = ("negative", "neutral", "positive", "hate", "offensive")
_NAMED_ALIKE = (
    *("event_id", "sentiment", "toxicity", "entities", "cluster", "channel_id", "user_id", "source"),
    *("kind", "target", "language"),
)
_OWN = ("event_id", "channel_id", "user_id", "source", "kind", "target", "reply_to", "user_key")


#: Events about another event.
_ABOUT = ("edit", "delete", "reaction")
#: Languages of texts that the shipped model scores.
_READ = ("en", UNDETERMINED)


class RefusedError(Exception):
    """An event that fails: its stage and reason."""

    def __init__(self, stage: str, reason: str = "") -> None:
        super().__init__(reason)
        self.stage, self.reason = stage, reason


class RowAnalyser:
    """Analyses single events by the shipped model and knowledge base."""

    def __init__(self) -> None:
        """Load both."""
        self._bag = load_bag(find_artifact("default"))
        self._targets = self._bag.manifest.stance_targets()
        self._labels = self._bag.manifest.task("sentiment").labels
        self._entities = RowEntities(alias_table(read_entities(SHIPPED), read_plain_words()))

    def analyse(self, value: bytes, record_ms: int) -> dict[str, Any]:
        """Return the columns of ANALYSED for one SocialEvent and its record's time in ms UTC."""
        row: dict[str, Any] = dict(_UNSCORED)
        try:
            event = SocialEvent.FromString(value)
            kind = event.metadata.get("kind", DEFAULT_KIND)
            reply_to = event.metadata.get("reply_to", "")
            row |= {
                "event_id": event.id,
                "channel_id": event.channel_id,
                "user_id": event.user_id,
                "source": event.source,
                "kind": kind,
                "target": event.metadata.get("target") or (reply_to if kind in _ABOUT else ""),
                "reply_to": reply_to,
                "user_key": string_keys(pa.array([event.user_id]))[0].as_py(),
            }
            _screen(event, kind, record_ms)
            if kind in TEXT_KINDS:
                platform = event.metadata.get("platform") or event.source
                text = normalise(
                    pa.array([_text(event)]), platforms=pa.array([platform]), channels=pa.array([event.channel_id])
                )
                language = event.metadata.get("language") or identify(text.folded)[0].as_py()
                row |= {"text_key": narrow_keys(text.keys)[0].as_py(), "emoji_count": text.emoji_counts[0].as_py()}
                row |= {"language": language, "text": text.composed[0].as_py()}
                if text.normalised[0].as_py():
                    row |= self._found(text, language)
                    row |= self._scored(text) if language in _READ else _abstained(language)
        except DecodeError as error:
            return _BLANK | {"stage": "decode", "reason": str(error)}
        except RefusedError as refused:
            return _BLANK | {name: row[name] for name in _OWN} | {"stage": refused.stage, "reason": refused.reason}
        return row

    def _scored(self, text: NormalisedTexts) -> dict[str, Any]:
        scores = self._bag.score(text.normalised)
        sentiment = self._bag.probabilities("sentiment", scores)
        label = int(self._bag.decide("sentiment", sentiment)[0])
        toxicity, hate, offensive = (
            self._bag.probabilities(task, scores) for task in ("toxicity", "hate", "offensive")
        )
        negative, neutral, positive = sentiment[0].tolist()
        return {
            "sentiment": self._labels[label],
            "sentiment_score": label - 1,
            "score_negative": negative,
            "score_neutral": neutral,
            "score_positive": positive,
            "toxicity": float(toxicity[0, 1]),
            "toxic": int(self._bag.decide("toxicity", toxicity)[0]),
            "score_hate": float(hate[0, 1]),
            "score_offensive": float(offensive[0, 1]),
            "model_sentiment": self._bag.digest,
            "model_toxicity": self._bag.digest,
            "model_stance": self._bag.digest,
            "stance_targets": list(self._targets),
            "stance_labels": [self._stance(target, scores) for target in self._targets],
        }

    def _stance(self, target: str, scores: NDArray[np.float32]) -> str:
        chosen = self._bag.decide(STANCE + target, self._bag.probabilities(STANCE + target, scores))
        return self._bag.manifest.task(STANCE + target).labels[int(chosen[0])]

    def _found(self, text: NormalisedTexts, language: str) -> dict[str, Any]:
        shaped = language not in CAPITAL_NOUNS
        names, links, confidences = self._entities.find(text.composed[0].as_py(), text.folded[0].as_py(), shaped=shaped)
        return {
            "model_entities": "strategy:aliases",
            "model_cluster": "strategy:signature",
            "entities": names,
            "entity_links": links,
            "entity_scores": confidences,
            "cluster": text.clusters[0].as_py(),
        }


def _abstained(language: str) -> dict[str, Any]:
    return {f"model_{kind}": f"{ABSTAINED}{language}" for kind in ("sentiment", "toxicity", "stance")}


def result_datum(row: dict[str, Any], ts_ms: int) -> bytes:
    """Return the AnalysisResult of one row as an Avro datum."""
    record = {name: row[name] for name in _NAMED_ALIKE}
    record |= {"ts": ts_ms, "stance": dict(zip(row["stance_targets"], row["stance_labels"], strict=True))}
    pairs = zip(row["entity_links"], row["entity_scores"], strict=True)
    record |= {"entity_links": [{"id": link, "score": score} for link, score in pairs]}
    record |= {"models": {kind: row[f"model_{kind}"] for kind in _KINDS if row[f"model_{kind}"]}}
    record |= {"scores": {name: row[f"score_{name}"] for name in _SCORES}}
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema("analysis_result"), record)
    return buffer.getvalue()


def _screen(event: SocialEvent, kind: str, record_ms: int) -> None:
    if kind == HEARTBEAT and not event.channel_id:
        raise RefusedError(HEARTBEAT)
    for name in ("id", "channel_id"):
        if not getattr(event, name):
            raise RefusedError("validate", f"{name} is empty")
    if not event.HasField("ts"):
        raise RefusedError("time", "ts is missing")
    ts_ms = event.ts.ToMilliseconds()
    if not EARLIEST_MS <= ts_ms < LATEST_MS:
        raise RefusedError("time", f"ts {ts_ms} is not between 1990 and 2100")
    if ts_ms != record_ms:
        raise RefusedError("time", f"ts {ts_ms} is not the record's time {record_ms}")


def _text(event: SocialEvent) -> str:
    if "text" in event.metadata:
        return event.metadata["text"]
    try:
        document = json.loads(event.raw_payload)
    except ValueError as error:
        raise RefusedError("extract", f"payload is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RefusedError("extract", f"payload is JSON but not an object: {type(document).__name__}")
    text = next((document[name] for name in TEXT_FIELDS if isinstance(document.get(name), str)), "")
    # Slack writes emoji by their names.
    return emoji.emojize(text, language="alias") if event.source == "slack" else text
