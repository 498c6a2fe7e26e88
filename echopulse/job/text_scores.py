"""What is said of texts that are no events: by the active strategies, as the job would, or by one model alone."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from echopulse.job.configuration import signals_config
from schemas.arrow import EVENT
from transforms.analysis import Analyser
from transforms.loading import load_model
from transforms.model import question
from transforms.verdict import ABSTAINED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from echopulse.settings import Settings

#: Of `scores` of a result, those that have columns of their own, and the kind of analysis that gives each.
_SCORES = {
    **dict.fromkeys(("negative", "neutral", "positive"), "sentiment"),
    **dict.fromkeys(("offensive", "hate"), "toxicity"),
}
_UNKNOWN = "unknown"


def by_strategies(settings: Settings, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Analyse texts as the job would analyse messages of now: what each task says of each, in order.

    {"text", "language", "tasks": {task: {"label", "probability", "model"}}, "scores", "labels", "entities", "failed"}:
    `probability` is that of the label, None where there is none; `scores` and `labels` are those of an AnalysisResult;
    `failed` is the reason where a strategy failed, else ''. Raises EchoPulseError where a strategy cannot be opened.
    """
    analyser = Analyser.of(replace(signals_config(settings).selection, shadow={}))
    analyser.open()
    try:
        rows = analyser.analyse_events(_messages(texts)).to_pylist()
    finally:
        analyser.close()
    return [_said(text, row) for text, row in zip(texts, rows, strict=True)]


def by_model(folder: Path, texts: Sequence[str], task: str = "") -> list[dict[str, Any]]:
    """Ask one model for each of its tasks, or for `task` alone, whatever the language; {"text", "tasks"} of each."""
    model = load_model(folder)
    asked = question(pa.array(list(texts), pa.string()))
    found: list[dict[str, Any]] = [{"text": text, "tasks": {}} for text in texts]
    heads = [head for head in model.manifest.tasks if task in {"", head, head.partition(".")[0]}]
    for head in heads:
        labels, answer = model.manifest.task(head).labels, model.answer(head, asked)
        for document, place, chances in zip(found, answer.chosen.tolist(), answer.probabilities.tolist(), strict=True):
            document["tasks"][head] = _answer(labels[place], chances[place], model.digest)
    return found


def _messages(texts: Sequence[str]) -> pa.RecordBatch:
    event = {"source": "score", "channel_id": "score", "user_id": "", "raw_payload": b"{}"}
    now_ms = time.time_ns() // 1_000_000
    rows = [{**event, "id": str(place), "ts": now_ms, "metadata": [("text", text)]} for place, text in enumerate(texts)]
    return pa.RecordBatch.from_pylist(rows, schema=EVENT)


def _said(text: str, row: dict[str, Any]) -> dict[str, Any]:
    scored = {name: row[f"score_{name}"] for name, kind in _SCORES.items() if _scored(row[f"model_{kind}"])}
    return {
        "text": text,
        "language": row["language"],
        "tasks": _tasks(row),
        "scores": {name: value for name, value in {**scored, **dict(row["other_scores"])}.items() if _known(value)},
        "labels": dict(row["other_labels"]),
        "entities": [
            {"name": name, "link": link, "score": score}
            for name, link, score in zip(row["entities"], row["entity_links"], row["entity_scores"], strict=True)
        ],
        "failed": row["reason"],
    }


def _tasks(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    sentiment, toxic, toxicity = row["sentiment"] or _UNKNOWN, bool(row["toxic"]), row["toxicity"]
    tasks = {"sentiment": _answer(sentiment, row.get(f"score_{sentiment}"), row["model_sentiment"])}
    if _scored(row["model_toxicity"]):
        label, probability = ("toxic", toxicity) if toxic else ("not_toxic", 1.0 - toxicity)
        tasks["toxicity"] = _answer(label, probability, row["model_toxicity"])
    else:
        tasks["toxicity"] = _answer(_UNKNOWN, None, row["model_toxicity"])
    for target, label in zip(row["stance_targets"], row["stance_labels"], strict=True):
        tasks[f"stance.{target}"] = _answer(label, None, row["model_stance"])
    return tasks


def _scored(model: str) -> bool:
    return bool(model) and not model.startswith(ABSTAINED)


def _answer(label: str, probability: float | None, model: str) -> dict[str, Any]:
    known = None if probability is None or not _known(probability) else round(probability, 6)
    return {"label": label, "probability": known, "model": model}


def _known(value: float) -> bool:
    return not math.isnan(value)
