"""`echopulse feature`: apply the declarations, list them, read values back through Feast."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.moment import read_moment
from echopulse.cli.output import emit
from echopulse.job.environment import repository_variables
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from features.machinery.store import Applied
    from features.machinery.view_spec import CompiledView

app = App(name="feature", help="Apply the feature declarations and read features.")
app.command("echopulse.cli.feature_check:check", name="check", help="Hold online values against the lake's events.")
app.command("echopulse.cli.feature_lake:compact", name="compact", help="Merge the lake's small files.")
app.command("echopulse.cli.feature_export:export", name="export", help="Write the rows that a model is trained on.")
app.command("echopulse.cli.feature_lake:forget", name="forget", help="Erase one user from lake and online store.")
app.command("echopulse.cli.feature_history:history", name="history", help="Join entities with features of their day.")
app.command("echopulse.cli.feature_serve:serve", name="serve", help="Answer feature queries by gRPC.")

_REPO = Path("features")
_NONE: list[str] = []
Repo = Annotated[Path, Parameter(name="--repo")]


@app.command
def apply(*, repo: Repo = _REPO, replace: list[str] = _NONE, options: GlobalOptions = NO_OPTIONS) -> None:
    """Compile every view to Flink SQL, then register all declarations with Feast.

    Parameters
    ----------
    repo
        Folder of the Feast repository.
    replace
        A view whose values may mean something else from now on, under the same name.
    """
    from features.machinery.store import apply as apply_repo

    settings = options.settings()
    _emit_applied(apply_repo(repo, settings.home, repository_variables(settings), replace), options)


@app.command
def retire(view: str, *, repo: Repo = _REPO, options: GlobalOptions = NO_OPTIONS) -> None:
    """Let an older version of a view go; the job computes it until it is submitted again.

    Parameters
    ----------
    view
        The older version, as `feature apply` names those that stand.
    repo
        Folder of the Feast repository.
    """
    from features.machinery.store import retire as retire_view

    settings = options.settings()
    _emit_applied(retire_view(repo, settings.home, view, repository_variables(settings)), options)


@app.command(name="list")
def list_views(*, repo: Repo = _REPO, sql: bool = False, options: GlobalOptions = NO_OPTIONS) -> None:
    """List the views: their keys, windows and features.

    Parameters
    ----------
    repo
        Folder of the Feast repository.
    sql
        Show the Flink SQL of each as well, and that of the panes they share.
    """
    from features.machinery.catalog import compiled_views

    views = compiled_views(repo, options.settings().home)
    document = {"views": [_described(view, sql=sql) for view in views]}
    panes = dict.fromkeys(panes for view in views for panes in view.panes if sql)
    if sql:
        document["panes"] = [{"name": each.name, "sql": each.sql} for each in panes]
    lines = [f"{each.name}, shared by views\n\n{each.sql}\n" for each in panes]
    lines += [_line(view) + (f"\n\n{view.sql}\n" if sql else "") for view in views]
    emit(document, options.json, lambda: "\n".join(lines))


@app.command
def get(view: str, *, entity: list[str], at: str = "", repo: Repo = _REPO, options: GlobalOptions = NO_OPTIONS) -> None:
    """Read the latest values of a view for one entity, through Feast, or those of an instant of the past.

    Exits 1 where the entity has none, so that `if echopulse feature get …`
    works in a script; with --json the document is printed all the same.

    Parameters
    ----------
    view
        Name of the view, as `feature list` shows it.
    entity
        KEY=VALUE of each join key, such as channel_id=twitch:alice.
    at
        An instant, such as 2026-01-31T08:00Z: what could be read then, from the lake.
    repo
        Folder of the Feast repository.
    """
    keys, settings = dict(_pair(text) for text in entity), options.settings()
    if at:
        from echopulse.feature_query.instant import value_at

        row = value_at(settings, repo, view, keys, read_moment("--at", at))
    else:
        from features.machinery.store import open_store, read

        row = read(open_store(repo, repository_variables(settings)), view, keys)
    seconds = row["event_timestamp"]
    stamp = datetime.fromtimestamp(seconds, UTC) if seconds else None
    document = {
        "view": view,
        "entity": keys,
        "found": row["found"],
        "event_timestamp": stamp,
        "features": row["features"],
    }
    if not row["found"]:
        if options.json:
            emit(document, options.json, "")
        raise _no_values(view, keys, at)
    emit(document, options.json, lambda: _values(document))


def _emit_applied(applied: Applied, options: GlobalOptions) -> None:
    document = {
        "views": [view.name for view in applied.views],
        "older_versions": applied.standing,
        "entities": applied.entities,
        "services": applied.services,
        "removed": applied.removed,
    }
    emit(
        document,
        options.json,
        lambda: "\n".join(f"{name.replace('_', ' ')}: {', '.join(names) or '-'}" for name, names in document.items()),
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"--entity '{text}' is not KEY=VALUE", "for example --entity channel_id=twitch:alice")
    return key, value


def _described(view: CompiledView, *, sql: bool) -> dict[str, Any]:
    described = {
        "name": view.name,
        "keys": [column.name for column in view.schema.join_keys],
        "window_ms": view.window_ms,
        "slide_ms": view.slide_ms,
        "ttl_s": view.schema.ttl_s,
        "features": {column.name: column.type for column in view.schema.features},
    }
    return described | ({"sql": view.sql} if sql else {})


def _line(view: CompiledView) -> str:
    keys = ", ".join(column.name for column in view.schema.join_keys)
    features = ", ".join(column.name for column in view.schema.features)
    return f"{view.name}  by {keys}, {view.window_ms // 1000} s every {view.slide_ms // 1000} s: {features}"


def _values(document: Mapping[str, Any]) -> str:
    width = max(len(name) for name in document["features"])
    lines = [f"  {name:<{width}}  {'-' if value is None else value}" for name, value in document["features"].items()]
    entity, stamp = _entity(document["entity"]), document["event_timestamp"]
    return "\n".join([f"{document['view']} {entity} at {stamp:%Y-%m-%d %H:%M:%S} UTC", *lines])


def _no_values(view: str, keys: Mapping[str, str], at: str) -> EchoPulseError:
    hint = f"none could be read at {at}" if at else "none was written, or it has outlived the view"
    return EchoPulseError(f"no values for {_entity(keys)} in {view}", hint)


def _entity(keys: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in keys.items())
