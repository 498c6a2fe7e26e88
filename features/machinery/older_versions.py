"""Older versions of declared views, brought from the registry among the declarations. Its callers have Feast."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from features.machinery.from_feast import from_feast
from features.machinery.view_versions import standing

if TYPE_CHECKING:
    from collections.abc import Collection

    from feast import FeatureStore
    from feast.repo_contents import RepoContents

    from features.machinery.view_spec import ViewSpec


def with_older_versions(declared: RepoContents, store: FeatureStore) -> list[str]:
    """Add to `declared` the older versions that stand, with their entities and sources; return their names."""
    registered = {view.name: view for view in store.list_stream_feature_views()}
    names = standing(registered, [view.name for view in declared.stream_feature_views])
    entities = {entity.name for entity in declared.entities}
    sources = {source.name for source in declared.data_sources}
    for name in names:
        view = registered[name]
        declared.stream_feature_views.append(view)
        missing = [store.get_entity(entity) for entity in view.entities if entity not in entities]
        declared.entities.extend(missing)
        entities |= {entity.name for entity in missing}
        kept = [each for each in (view.batch_source, view.stream_source) if each is not None]
        declared.data_sources.extend(each for each in kept if each.name not in sources)
        sources |= {each.name for each in kept}
    return names


def view_specs(declared: RepoContents, older: Collection[str] = ()) -> list[ViewSpec]:
    """Return the stream views of `declared`; `older` ones with features by name, for the registry has no order."""
    specs = [from_feast(view) for view in declared.stream_feature_views]
    return [
        replace(spec, features=tuple(sorted(spec.features, key=lambda feature: feature.name)))
        if spec.name in older
        else spec
        for spec in specs
    ]
