"""`echopulse score`: what the models say of a text, without any server."""

from __future__ import annotations

import re
import sys
from itertools import islice
from typing import Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit
from schemas.errors import EchoPulseError, UsageError, did_you_mean

#: Lines of standard input that are held at once.
MOST_TEXTS = 100_000
_OPTIONS = ("--model", "--json", "--config", "--help")
#: Scores whose greatest is told with its label.
_TOLD = ("negative", "neutral", "positive")
_OPTION = re.compile(r"--[a-z][a-z-]*(?:=.*)?")


def score(
    *texts: Annotated[str, Parameter(allow_leading_hyphen=True)],
    model: Annotated[str, Parameter(show_default=False)] = "",
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Score texts by the active strategies, as the job would: label and probability by task.

    Nothing needs to run for it. Exits 1 where a strategy fails on a text.

    Parameters
    ----------
    texts
        Each a text; - alone reads lines from standard input.
    model
        Ask this model alone, whatever the language: the name of one that ships, the folder of an artifact,
        TASK@champion, TASK@challenger or TASK@sha256:PREFIX.
    """
    if not texts:
        raise UsageError("no text given", 'echopulse score "what a great stream"; - reads lines from standard input')
    # Texts may begin with a dash, so that a misspelt option would be scored.
    if unknown := next(filter(_OPTION.fullmatch, texts), ""):
        raise UsageError(f"unknown option '{unknown}'", did_you_mean(unknown.partition("=")[0], _OPTIONS))
    asked = _lines() if texts == ("-",) else list(texts)
    settings = options.settings()
    if model:
        from echopulse.job.text_scores import by_model
        from echopulse.registry.opening import model_folder

        task, at, _ = model.partition("@")
        found = by_model(model_folder(settings, model), asked, task if at else "")
    else:
        from echopulse.job.text_scores import by_strategies

        found = by_strategies(settings, asked)
    emit({"texts": found}, options.json, lambda: "\n".join(map(_text, found)))
    if failed := [one["failed"] for one in found if one.get("failed")]:
        raise EchoPulseError(f"{counted(len(failed), 'text')} could not be scored: {failed[0]}")


def _lines() -> list[str]:
    lines = [line.rstrip("\r\n") for line in islice(sys.stdin, MOST_TEXTS + 1)]
    if len(lines) > MOST_TEXTS:
        raise EchoPulseError(f"more than {MOST_TEXTS:,} lines", "`echopulse up --replay FILE` analyses any number")
    return lines


def _text(one: dict[str, Any]) -> str:
    if one.get("failed"):
        return f"{one['text']}\n  failed: {one['failed']}"
    rows = [(name, *_answer(said)) for name, said in one["tasks"].items()]
    # Nobody decides on these: the job labels toxicity, by a threshold of its own, and not what it is made of.
    if scores := [f"{name} {value:.3f}" for name, value in one.get("scores", {}).items() if name not in _TOLD]:
        rows.append(("scores", ", ".join(scores), ""))
    rows += [(name, label, "") for name, label in one.get("labels", {}).items()]
    if named := [f"{each['name']} ({each['link'] or 'not linked'})" for each in one.get("entities", ())]:
        rows.append(("entities", ", ".join(named), ""))
    names_width = max(len(name) for name, *_ in rows)
    labels_width = max((len(label) for _, label, chance in rows if chance), default=0)
    lines = [f"  {name:<{names_width}}  {label:<{labels_width}}  {chance}".rstrip() for name, label, chance in rows]
    return "\n".join([one["text"], *lines])


def _answer(said: dict[str, Any]) -> tuple[str, str]:
    if said["model"].startswith("abstained:"):
        return f"not scored: the model does not know the language '{said['model'].partition(':')[2]}'", ""
    if not said["model"]:
        return "not scored: no text", ""
    return said["label"], "" if said["probability"] is None else f"{said['probability']:.3f}"
