"""Open the Feast store of a repository, apply its declarations, read it. Imports Feast, which costs seconds."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import TYPE_CHECKING, Any

import redis
import yaml
from feast import FeatureStore
from feast.errors import FeastError
from feast.repo_config import FeastConfigError, load_repo_config
from feast.repo_operations import extract_objects_for_apply_delete
from google.protobuf.message import DecodeError

from features.machinery.catalog import keep
from features.machinery.compiler import compile_views
from features.machinery.entity_keys import check_entity
from features.machinery.feast_repo import CONFIG_FILE, check_repo, declarations, ignore_alpha_warning
from features.machinery.from_feast import from_feast
from features.machinery.older_versions import view_specs, with_older_versions
from features.machinery.view_versions import incompatible, next_version
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from feast.repo_contents import RepoContents

    from features.machinery.view_spec import CompiledView


@dataclass(frozen=True)
class Applied:
    """What `apply` did: the compiled views, the names of all declarations, of those removed and of older versions."""

    views: list[CompiledView]
    entities: list[str]
    services: list[str]
    removed: list[str]
    standing: list[str]


def open_store(repo: Path, environment: Mapping[str, str] | None = None) -> FeatureStore:
    """Open a repository's store with the variables of `environment`, which its configuration and plug-in read.

    Raises EchoPulseError where the repository's configuration or registry cannot be read.
    """
    with variables(environment or {}):
        return _opened(repo)


@contextmanager
def variables(environment: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process, and put back what was there: Feast reads many things from nowhere else.

    Other threads see them meanwhile.
    """
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def has_registry(repo: Path) -> bool:
    """Return whether a repository's registry is there; a file that is not would be made by opening the store."""
    check_repo(repo)
    try:
        registry = load_repo_config(repo, repo / CONFIG_FILE).registry
    except (FeastConfigError, FeastError, yaml.YAMLError, OSError) as error:
        raise EchoPulseError(f"{repo / CONFIG_FILE}: {error}") from error
    return registry.registry_type != "file" or "://" in registry.path or (repo / registry.path).is_file()


def _opened(repo: Path) -> FeatureStore:
    check_repo(repo)
    ignore_alpha_warning()
    try:
        store = FeatureStore(repo_path=str(repo))
        # Feast makes these when they are first asked for; the plug-in's reads its variables then.
        _ = store.config.online_store, store.config.offline_store
    except (FeastConfigError, FeastError, yaml.YAMLError, OSError) as error:
        raise EchoPulseError(f"{repo / CONFIG_FILE}: {error}") from error
    registry = store.config.registry.path
    try:
        _ = store.registry
    except (DecodeError, OSError) as error:
        raise EchoPulseError(
            f"Feast registry {registry}: cannot be read: {type(error).__name__}: {error}",
            "its path is relative to the repository; move the file away and run `echopulse feature apply`",
        ) from error
    return store


def apply(
    repo: Path, cache: Path, environment: Mapping[str, str] | None = None, replace: Collection[str] = ()
) -> Applied:
    """Compile all views, then bring the registry to what the repository declares, then keep the compiled views.

    Nothing is changed where a view does not compile, nor where one means something else than it did, unless `replace`
    names it. An older version of a declared view stays, and is computed beside it, until it is retired; other views
    that are no longer declared are removed, from the online store too. The variables of `environment` hold as long as
    it takes: declarations and plug-in read their addresses from them. Raises EchoPulseError naming the view, the
    declaration, the registry or the store.
    """
    with variables(environment or {}):
        return _applied(repo, cache, replace)


def _applied(repo: Path, cache: Path, replace: Collection[str]) -> Applied:
    declared = declarations(repo)
    compile_views(view_specs(declared))
    store = open_store(repo)
    with _told(repo):
        _check_meaning(declared, store, replace)
        older = with_older_versions(declared, store)
    specs = view_specs(declared, older)
    views = compile_views(specs)
    # The kinds this repository may hold besides stay as they are in `declared`; a project is created by `apply`.
    declared.projects.extend(store.registry.list_projects() if not declared.projects else [])
    with _told(repo):
        wanted, unwanted, _, _ = extract_objects_for_apply_delete(store.project, store.registry, declared)  # type: ignore[no-untyped-call]
        store.apply(wanted, objects_to_delete=unwanted, partial=False)
    keep(views, specs, repo, cache)
    return Applied(
        views=views,
        entities=sorted(entity.name for entity in declared.entities if not entity.name.startswith("__")),
        services=sorted(service.name for service in declared.feature_services),
        removed=sorted(thing.name for thing in unwanted),
        standing=older,
    )


def retire(repo: Path, cache: Path, name: str, environment: Mapping[str, str] | None = None) -> Applied:
    """Let an older version of a view go: it is removed from the registry and the online store, and no longer computed.

    Raises EchoPulseError where it is no older version that stands.
    """
    with variables(environment or {}):
        return _retired(repo, cache, name)


def _retired(repo: Path, cache: Path, name: str) -> Applied:
    declared, store = declarations(repo), open_store(repo)
    with _told(repo):
        older = with_older_versions(declared, store)
        if name not in older:
            if name in {view.name for view in declared.stream_feature_views}:
                raise EchoPulseError(f"view '{name}' is declared", "take it out of the declarations and apply them")
            raise EchoPulseError(
                f"no older version '{name}' stands", did_you_mean(name, older) if older else "none does"
            )
        store.apply([], objects_to_delete=[store.get_stream_feature_view(name)], partial=False)
    return replaced(_applied(repo, cache, ()), removed=[name])


def _check_meaning(declared: RepoContents, store: FeatureStore, replace: Collection[str]) -> None:
    """Refuse views whose registered values mean something else than those that are declared."""
    registered = {view.name: view for view in store.list_stream_feature_views()}
    for view in declared.stream_feature_views:
        if view.name not in registered or view.name in replace:
            continue
        if change := incompatible(from_feast(registered[view.name]), from_feast(view)):
            raise EchoPulseError(
                f"view '{view.name}': {change}",
                f"declare it as '{next_version(view.name)}': the applied one is fed beside it until `echopulse feature "
                f"retire {view.name}`; or `echopulse feature apply --replace {view.name}` if nobody reads it",
            )


def read(store: FeatureStore, view: str, entity: Mapping[str, str]) -> dict[str, Any]:
    """Read one entity's values of a view through Feast: {"found", "event_timestamp", "features"}.

    `found` is False where there is no row or it has outlived the view. Raises EchoPulseError for an unknown view, for
    join keys that are not the view's, and where the online store is away.
    """
    with _told(view):
        views = {v.name: v for v in store.list_stream_feature_views() + store.list_feature_views()}
    if view not in views:
        known = did_you_mean(view, views) if views else "the registry is empty; run `echopulse feature apply`"
        raise EchoPulseError(f"no feature view '{view}'", known)
    keys = views[view].join_keys
    # From its registry Feast reads the fields of a stream view in any order, and the keys as features too.
    names = sorted({feature.name for feature in views[view].features} - set(keys))
    check_entity(view, keys, entity)
    with _told(view):
        answer = store.get_online_features([f"{view}:{name}" for name in names], [dict(entity)])
        values = answer.to_dict(include_event_timestamps=True)
    seconds = values[f"{names[0]}__ts"][0]
    return {
        "found": seconds > 0,
        "event_timestamp": seconds or None,
        "features": {name: values[name][0] for name in names},
    }


@contextmanager
def _told(what: object) -> Iterator[None]:
    """Turn what Feast, the registry or the online store raise into one line."""
    try:
        yield
    except redis.RedisError as error:
        raise EchoPulseError(f"{what}: the online store does not answer: {error}") from error
    except (FeastError, ValueError, OSError, DecodeError) as error:
        raise EchoPulseError(f"{what}: {error}") from error
