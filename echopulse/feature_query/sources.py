"""What the server answers from, opened by the settings: declarations, online store and lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.feature_query.question import Catalogue
from echopulse.feature_query.rows import LakeRows
from echopulse.feature_query.service import Sources
from echopulse.job.configuration import online_store
from echopulse.job.environment import feast_variables
from features.machinery.catalog import compiled_views
from features.machinery.connection import connect
from features.machinery.encrypted_rows import encryption
from features.machinery.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.settings import Settings


def open_sources(settings: Settings, repo: Path) -> Sources:
    """Open them: views as they are declared, services as they were applied. Imports Feast, which costs seconds.

    Raises EchoPulseError for declarations that do not compile, a registry and keys that cannot be read.
    """
    store = online_store(settings)
    return Sources(
        catalogue=read_catalogue(settings, repo),
        online=connect(store),
        project=store.project,
        past=LakeRows(settings.lake),
        delay_ms=settings.job.watermark_delay_ms,
        cipher=encryption(store.keys),
    )


def read_catalogue(settings: Settings, repo: Path) -> Catalogue:
    """Return the views of a repository and the services of its registry; a service's other views are left out."""
    views = {view.name: view.schema for view in compiled_views(repo, settings.home)}
    services: dict[str, list[tuple[str, list[str]]]] = {}
    for service in open_store(repo, feast_variables(settings)).list_feature_services():
        held = []
        for projection in service.feature_view_projections:
            if projection.name in views:
                # Feast gives the features of a stream view in any order, and its keys among them.
                named = {feature.name for feature in projection.features}
                held.append(
                    (projection.name, [each.name for each in views[projection.name].features if each.name in named])
                )
        services[service.name] = held
    return Catalogue(views, services)
