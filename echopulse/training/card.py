"""The model card: what an artifact was made of, what it is worth, what it is not for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms.artifact import Manifest, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

CARD = "README.md"

#: Where the files of the project's own training folder come from; other files are named by their digest alone.
_SOURCES = {
    "sentiment": "SemEval-2017 task 4A, as prepared by TweetEval (cardiffnlp/tweeteval)",
    "offensive": "OLID (SemEval-2019 task 6), as prepared by TweetEval",
    "hate": "HatEval (SemEval-2019 task 5), as prepared by TweetEval",
    "davidson": "t-davidson/hate-speech-and-offensive-language (MIT), Davidson et al. 2017",
}

_LIMITS = """## Limits
- English only; for a text in another language the scores mean little, and nothing in the result says so yet.
- Trained on tweets from 2013 to 2018. Live chat is not tweets: emotes, one-word lines and slang carry moods that
  the model has not seen, so its figures on chat will be lower than those above.
- Words decide, not understanding: irony, quotation and reclaimed words mislead it, and texts that merely name a
  group of people are taken for toxic more often than they should be. Use it to rank and to count, and let a person
  decide about a person.
- The hate test set of TweetEval differs from its training set; validation figures overstate that task.
- At most the first 4,096 characters of a text are scored.
"""


def write_card(folder: Path, document: dict[str, Any]) -> None:
    """Write the card into the artifact's folder, with the metrics of an evaluation's document."""
    manifest, _ = read_manifest(folder)
    (folder / CARD).write_text(card(manifest, document), encoding="utf-8")


def card(manifest: Manifest, document: dict[str, Any]) -> str:
    """Return the card's text."""
    training = manifest.training
    labels = "\n".join(f"- {name}: {', '.join(task.labels)}" for name, task in manifest.tasks.items())
    sources = "\n".join(f"- `{name}` ({digest[:19]}…){_source(name)}" for name, digest in training["data"].items())
    rows = "\n".join(
        f"| {name} | {task['metric']} | {task['value']:.2f} | {task['low']:.2f} to {task['high']:.2f} | {_error(task)} "
        f"| {task['rows']:,} |"
        for name, task in document["tasks"].items()
    )
    return f"""# Model card: {manifest.name}

A hashed n-gram bag: grams of 2 to 5 characters, words and pairs of words, hashed into a table of
{2 ** (manifest.hashing.bits if manifest.hashing else 0):,} rows of a byte a weight; logistic regression for each task,
all tasks in one pass. Probabilities are calibrated and thresholds chosen on the validation rows.

Digest: `{document["digest"]}`

## Tasks and labels
{labels}

Languages: {", ".join(sorted({language for task in manifest.tasks.values() for language in task.languages}))}

## Sources
{sources}

## Metrics
On the validation split, in percent, with 95 % bootstrap intervals (1,000 resamples). Calibration and thresholds were
fitted on the same rows, so figures on unseen rows will be somewhat lower. Made by `echopulse evaluate MODEL --data DIR
--split val`.

| task | metric | value | interval | calibration error | rows |
|---|---|---|---|---|---|
{rows}

## Training
`echopulse train {" ".join(training["tasks"])} --data DIR --output DIR --seed {training["seed"]}
--epochs {training["epochs"]}`, learning rate {training["rate"]} falling to 0, labels weighed by
their inverse frequency to the power of {training["evenness"]}.
The same data and command give the same digest.

{_LIMITS}"""


def _source(name: str) -> str:
    source = _SOURCES.get(name.split(".", maxsplit=1)[0])
    return f": {source}" if source else ""


def _error(task: dict[str, Any]) -> str:
    return f"{task['calibration_error']:.4f}" if "calibration_error" in task else ""
