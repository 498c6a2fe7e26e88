"""The model card: what an artifact was made of, what it is worth, what it is not for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from echopulse.training import imported_card
from transforms import bag, cascade
from transforms.artifact import Manifest, read_manifest
from transforms.loading import ONNX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD = "README.md"

#: Where the files of the project's own training folder come from; other files are named by their digest alone.
_SOURCES = {
    "sentiment": "SemEval-2017 task 4A, as prepared by TweetEval (cardiffnlp/tweeteval)",
    "offensive": "OLID (SemEval-2019 task 6), as prepared by TweetEval",
    "hate": "HatEval (SemEval-2019 task 5), as prepared by TweetEval",
    "stance": "SemEval-2016 task 6, as prepared by TweetEval",
    "davidson": "t-davidson/hate-speech-and-offensive-language (MIT), Davidson et al. 2017",
}

_WHAT = {
    bag.KIND: """A hashed n-gram bag: grams of 2 to 5 characters, words and pairs of words, hashed into a table of
{buckets:,} rows of a byte a weight; logistic regression for each task, all tasks in one pass.""",
    ONNX: """A transformer, fine-tuned for all tasks at once and computed in 8 bits: 6 layers, 384 wide, from
all-MiniLM-L6-v2 (Apache-2.0); the mean of its last layer gives the scores of all tasks.""",
    cascade.KIND: """A cascade: `{first}` answers, and `{second}` is asked about a text where the first is less certain
than a threshold of the manifest, in log-odds: {thresholds}. What the two learnt is in their own cards.""",
}

_LIMITS = """## Limits
- English only. A text in another language that can be told is not scored; the result says `abstained:` and which.
- Trained on tweets from 2013 to 2018. Live chat is not tweets: emotes and slang are known by a lexicon of ours, the
  rest of a chat's ways is not, so figures on chat will be lower than those above.
- Words decide more than understanding: irony, quotation and reclaimed words mislead it. Use it to rank and to count,
  and let a person decide about a person.
- Stance is learnt toward the targets above alone, from a few hundred tweets each; off the subject it says none or errs.
- The hate test set of TweetEval differs from its training set; validation figures overstate that task.
- At most the first 4,096 characters of a text are scored.
"""


def write_card(folder: Path, document: Mapping[str, Any]) -> None:
    """Write the card into the artifact's folder, with an evaluation's document and what else was measured.

    `cross_validation`, `tuning_cross_validation`, `evasion` and `identity` are as folds, tuning_folds, robustness and
    identity give them; each may be absent.
    """
    manifest, _ = read_manifest(folder)
    (folder / CARD).write_text(card(manifest, document), encoding="utf-8")


def card(manifest: Manifest, document: Mapping[str, Any]) -> str:
    """Return the card's text."""
    labels = "\n".join(f"- {name}: {', '.join(task.labels)}" for name, task in manifest.tasks.items())
    languages = sorted({language for task in manifest.tasks.values() for language in task.languages})
    theirs = "checkpoint" in manifest.training
    what = imported_card.what(manifest) if theirs else _what(manifest)
    parts = [
        f"# Model card: {manifest.name}\n\n{what}\n\nDigest: `{document['digest']}`",
        f"## Tasks and labels\n{labels}\n\nLanguages: {', '.join(languages)}",
        _data(manifest.training),
        _metrics(document["tasks"]),
        _cross_validation(document.get("cross_validation", {})),
        _tuning(document.get("tuning_cross_validation", {})),
        _evasion(document.get("evasion", {})),
        _identity(document.get("identity", {})),
        imported_card.made(manifest) if theirs else _training(manifest),
        imported_card.limits(manifest) if theirs else _LIMITS,
    ]
    return "\n\n".join(part for part in parts if part)


def _what(manifest: Manifest) -> str:
    stages, training = manifest.cascade, manifest.training
    taught = ""
    if "teachers" in training:
        taught = f"""
Beside the labels it learnt the word of {training["teachers"]} networks that were fine-tuned from
{training["teacher_base"]["name"]}, each on other rows; they are not part of it."""
    said = _WHAT[manifest.kind].format(
        buckets=2 ** (manifest.hashing.bits if manifest.hashing else 0),
        first=stages.first if stages else "",
        second=stages.second if stages else "",
        thresholds=", ".join(f"{task} {value:.2f}" for task, value in stages.thresholds.items()) if stages else "",
    )
    return said + taught


def _data(training: Mapping[str, Any]) -> str:
    files = {**training.get("data", {}), **training.get("unlabelled", {})}
    if not files:
        return ""
    lines = "\n".join(f"- `{name}` ({digest[:19]}…){_source(name)}" for name, digest in files.items())
    return f"## Sources\n{lines}"


def _metrics(tasks: Mapping[str, Any]) -> str:
    if not tasks:
        return ""
    rows = "\n".join(f"| {name} | {_told(task)} | {_error(task)} | {task['rows']:,} |" for name, task in tasks.items())
    return f"""## Metrics
On the validation split, in percent, with 95 % bootstrap intervals (1,000 resamples). Calibration and thresholds were
fitted on the same rows, so figures on unseen rows will be somewhat lower. Made by `echopulse evaluate MODEL --data DIR
--split val`.

| task | metric | value | interval | calibration error | rows |
|---|---|---|---|---|---|
{rows}"""


def _cross_validation(models: Mapping[str, Mapping[str, Any]]) -> str:
    if not models:
        return ""
    folds = len(next(iter(next(iter(models.values())).values()))["folds"])
    rows = "\n".join(
        f"| {model} | {name} | {_told(task)} | {', '.join(f'{value:.1f}' for value in task['folds'])} "
        f"| {task['rows']:,} |"
        for model, tasks in models.items()
        for name, task in tasks.items()
    )
    taught = " The bag of a fold learnt from the transformer of that fold." if len(models) > 1 else ""
    return f"""## Cross-validation
{folds} folds over training and validation rows together; each row is said by a model that saw neither it nor an equal
text, nor calibrated on one.{taught} Made by `echopulse train … --folds {folds}`.

| model | task | metric | value | interval | each fold | rows |
|---|---|---|---|---|---|---|
{rows}"""


def _tuning(models: Mapping[str, Mapping[str, Any]]) -> str:
    if not models:
        return ""
    first, second, _ = models
    folds = len(next(iter(models[first].values()))["folds"])
    rows = "\n".join(
        f"| {model} | {name} | {_told(task)} | {_beside(task)} | {task['rows']:,} |"
        for model, tasks in models.items()
        for name, task in tasks.items()
    )
    return f"""## Cross-validation of the tuning
{folds} folds of the validation rows: both models' calibration and decisions and the cascade's thresholds are fitted on
all but one, and judged on that one. The models themselves were trained once, so this is not what training {folds}
pairs would show. The difference is to `{second}` on the same rows, by the paired bootstrap.
Made by `echopulse train --kind cascade --folds {folds} --first {first} --second {second} …`.

| model | task | metric | value | interval | asked, % | difference | interval | rows |
|---|---|---|---|---|---|---|---|---|
{rows}"""


def _beside(task: Mapping[str, Any]) -> str:
    if "difference" not in task:
        return " |  | "
    found = task["difference"]
    return f"{100 * task['asked']:.0f} | {found['value']:+.2f} | {found['low']:+.2f} to {found['high']:+.2f}"


def _evasion(table: Mapping[str, Mapping[str, float]]) -> str:
    if not table:
        return ""
    attacks = list(next(iter(table.values())))
    rows = "\n".join(
        f"| {name} | {' | '.join(f'{row[attack]:.2f}' for attack in attacks)} |" for name, row in table.items()
    )
    return f"""## Under evasion
Macro F1 on the validation rows where writers disguise half of their words of four and more letters.

| task | {" | ".join(attacks)} |
|---|{"---|" * len(attacks)}
{rows}"""


def _identity(found: Mapping[str, Any]) -> str:
    if not found:
        return ""
    rows = "\n".join(f"| {group} | {share:.2f} |" for group, share in found["groups"].items())
    return f"""## Naming a group
Of {found["rows"]:,} harmless sentences of our own that name a group of people, the share taken for toxic, in percent.
The model learnt from other sentences of that sort.

| terms | taken for toxic |
|---|---|
| all | {found["all"]:.2f} |
{rows}"""


def _training(manifest: Manifest) -> str:
    training = manifest.training
    if not training:
        return ""
    command = ["echopulse train", *training["tasks"], "--data DIR --output DIR"]
    command += ["--kind transformer"] * (manifest.kind == ONNX)
    command += ["--teacher MODEL"] * ("teacher" in training)
    command += [f"--teachers {training.get('teachers')} --teacher-base FOLDER"] * ("teachers" in training)
    command += [f"--unlabelled DIR/{name}" for name in training.get("unlabelled", {})]
    recipe = ", ".join(
        f"{name.replace('_', ' ')} {value.get('name') if isinstance(value, dict) else value}"
        for name, value in training.items()
        if name not in {"tasks", "data", "unlabelled"} and value not in (None, "")
    )
    same = "The same data and command give the same digest on the same machine."
    if "teachers" in training:
        same = "On a GPU, which it wants, the same data and command give like figures, and not the same digest."
    return f"""## Training
`{" ".join(command)}`: {recipe}. {same}"""


def _source(name: str) -> str:
    source = _SOURCES.get(name.split(".", maxsplit=1)[0])
    return f": {source}" if source else ""


def _told(task: Mapping[str, Any]) -> str:
    return f"{task['metric']} | {task['value']:.2f} | {task['low']:.2f} to {task['high']:.2f}"


def _error(task: Mapping[str, Any]) -> str:
    return f"{task['calibration_error']:.4f}" if "calibration_error" in task else ""
