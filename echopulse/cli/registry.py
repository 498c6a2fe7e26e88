"""`echopulse registry`: models by their digests, listed, shown, put in; the other commands by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclopts import App

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit

if TYPE_CHECKING:
    from echopulse.registry.registration import Registered
    from echopulse.settings import Settings

app = App(name="registry", help="Models by their digests: list, judge, promote, roll back, serve.")
for _module, _name, _help in (
    ("registry_champion", "promote", "Judge a model by the gates and make it the champion of its task."),
    ("registry_champion", "rollback", "Go back to the champion before the last change, within seconds."),
    ("registry_champion", "timeline", "Show which model scores events of which time."),
    ("registry_champion", "follow", "Keep the timelines up to date that workers score by, until Ctrl-C or SIGTERM."),
    ("registry_serve", "serve", "Answer by gRPC: models, promotions, scores."),
    ("registry_judge", "gates", "List the gates of a task."),
    ("registry_judge", "judge", "Ask the gates about a model, promoting nothing."),
    ("registry_judge", "shadow", "Compare a model in shadow with the champion."),
    ("registry_lineage", "lineage", "Event to files, or file to models."),
):
    app.command(f"echopulse.cli.{_module}:{_name}", name=_name, help=_help)


@app.command(name=("list", "ls"))
def list_models(task: str | None = None, *, options: GlobalOptions = NO_OPTIONS) -> None:
    """List the models of a task, or of all, the oldest first.

    Parameters
    ----------
    task
        sentiment, toxicity, offensive, hate or stance.
    """
    from echopulse.registry.opening import opened_store
    from echopulse.registry.report import models

    with opened_store(options.settings()) as store:
        found = models(store, task)
    emit({"models": found}, options.json, lambda: "\n".join(map(_line, found)) or "no model is registered")


@app.command
def show(reference: str, *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show a model: when it scores events, what the gates said of it, and a challenger beside the champion.

    Parameters
    ----------
    reference
        TASK@sha256:PREFIX, TASK@champion or TASK@challenger.
    """
    from echopulse.registry.opening import find, opened_store, parse_reference
    from echopulse.registry.report import shown
    from echopulse.registry.verdict import signing_key

    settings = options.settings()
    with opened_store(settings) as store:
        document = shown(store, find(store, parse_reference(reference)), signing_key(settings))
    document["shadow"] = _beside_the_champion(settings, document) if "challenger" in document["roles"] else None
    emit(document, options.json, lambda: _shown(document))


@app.command
def register(folder: str, *tasks: str, options: GlobalOptions = NO_OPTIONS) -> None:
    """Put a model into the registry, as the challenger of its tasks.

    Parameters
    ----------
    folder
        The folder of an artifact, or the name of one that ships.
    tasks
        Of its tasks, those that it shall be challenger of; default: all.
    """
    from dataclasses import asdict

    from echopulse.registry.opening import opened_store
    from echopulse.registry.registration import register as put_in
    from echopulse.training.model_reference import referenced

    with opened_store(options.settings()) as store:
        digest, found = put_in(store, referenced(folder), tasks)
    document = {"digest": digest, "tasks": [one.task for one in found], "registered": [asdict(one) for one in found]}
    emit(document, options.json, lambda: "\n".join(_registered(digest, one) for one in found))


def _registered(digest: str, one: Registered) -> str:
    """Say what a model became of a task."""
    if one.role == "champion":
        return f"{one.task}@{digest}: the champion, as before"
    against = f"the champion is {one.champion[:19]}" if one.champion else "there is no champion"
    place = f" in the place of {one.replaces[:19]}" if one.replaces else ""
    return f"{one.task}@{digest}: challenger{place}; {against}"


def _line(model: dict[str, Any]) -> str:
    return (
        f"{model['task']}@{model['digest'][:19]}  {model['kind']:<8}{model['bytes'] / 2**20:8.1f} MiB  "
        f"{model['name']:<20} {', '.join(model['roles'])}".rstrip()
    )


def _shown(document: dict[str, Any]) -> str:
    from echopulse.cli.registry_judge import shadow_lines
    from echopulse.registry.report import moment

    lines = [f"{document['task']}@{document['digest']}", _line(document), f"run {document['run']}"]
    for span in document["scores"]:
        end = "" if span["to_ms"] is None else f" to {moment(span['to_ms'])}"
        lines.append(f"scores events from {moment(span['from_ms'])}{end}")
    if (seen := document["shadow"]) is not None:
        lines += [f"in shadow: unknown: {seen['unknown']}"] if "unknown" in seen else shadow_lines(seen)
    if verdict := document["verdict"]:
        lines.append(f"judged at {moment(verdict['judged_ms'])}, signature {document['signature']}")
        lines += [
            f"  {'passed' if one['passed'] else 'FAILED'}  {one['gate']}: {one['told']}" for one in verdict["results"]
        ]
    return "\n".join(lines)


def _beside_the_champion(settings: Settings, document: dict[str, Any]) -> dict[str, Any]:
    """Return what a challenger said in shadow; where Kafka is away, why nothing is known of it."""
    from echopulse.registry.shadow import MOST_SHOWN, seen_in_shadow
    from schemas.errors import EchoPulseError

    try:
        return seen_in_shadow(settings, document["task"], document["digest"], MOST_SHOWN)
    except EchoPulseError as error:
        return {"unknown": str(error)}
