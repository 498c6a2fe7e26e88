"""Open the Feast store of a repository, apply its declarations, read it. Imports Feast, which costs seconds."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
import yaml
from feast import FeatureStore
from feast.errors import FeastError
from feast.repo_config import FeastConfigError
from feast.repo_operations import extract_objects_for_apply_delete
from google.protobuf.message import DecodeError

from features.machinery.catalog import keep
from features.machinery.compiler import compile_views
from features.machinery.entity_keys import check_entity
from features.machinery.feast_repo import CONFIG_FILE, check_repo, declarations, ignore_alpha_warning
from features.machinery.from_feast import from_feast
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from features.machinery.view_spec import CompiledView


@dataclass(frozen=True)
class Applied:
    """What `apply` did: the compiled views, the names of all declarations, and of those it removed."""

    views: list[CompiledView]
    entities: list[str]
    services: list[str]
    removed: list[str]


def open_store(repo: Path, environment: Mapping[str, str] | None = None) -> FeatureStore:
    """Open a repository's store. `environment` is set first: declarations and plug-in read their addresses from it.

    Raises EchoPulseError where the repository's configuration or registry cannot be read.
    """
    check_repo(repo)
    os.environ.update(environment or {})
    ignore_alpha_warning()
    try:
        store = FeatureStore(repo_path=str(repo))
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


def apply(repo: Path, cache: Path, environment: Mapping[str, str] | None = None) -> Applied:
    """Compile all views, then bring the registry to what the repository declares, then keep the compiled views.

    Nothing is changed where a view does not compile. Views no longer declared are removed, from the online store too.
    Raises EchoPulseError naming the view, the declaration, the registry or the store.
    """
    os.environ.update(environment or {})
    declared = declarations(repo)
    views = compile_views(from_feast(view) for view in declared.stream_feature_views)
    store = open_store(repo)
    # The kinds this repository may hold besides stay as they are in `declared`; a project is created by `apply`.
    declared.projects.extend(store.registry.list_projects() if not declared.projects else [])
    with _told(repo):
        wanted, unwanted, _, _ = extract_objects_for_apply_delete(store.project, store.registry, declared)  # type: ignore[no-untyped-call]
        store.apply(wanted, objects_to_delete=unwanted, partial=False)
    keep(views, repo, cache)
    return Applied(
        views=views,
        entities=sorted(entity.name for entity in declared.entities if not entity.name.startswith("__")),
        services=sorted(service.name for service in declared.feature_services),
        removed=sorted(thing.name for thing in unwanted),
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
