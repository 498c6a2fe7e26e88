"""Older versions of declared views, brought from the registry among the declarations. Its callers have Feast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.machinery.view_versions import standing

if TYPE_CHECKING:
    from feast import FeatureStore
    from feast.repo_contents import RepoContents


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
