"""What is asked for: names and keys of a request, held against the views and services that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from echopulse.feature_query.refusal import RefusedError, TooMuchError, UnknownError
from schemas.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from features.machinery.view_spec import Column, ViewSchema
    from schemas.feature_query_pb2 import Entity, Features

MOST_ENTITIES = 1_000
MOST_FEATURES = 200
#: Kafka, Redis and Parquet bear longer ones; no platform has them.
LONGEST_KEY = 1_024
_INT64 = range(-(2**63), 2**63)


class Wanted(NamedTuple):
    """Some features of one view."""

    view: ViewSchema
    features: tuple[Column, ...]


@dataclass(frozen=True)
class Catalogue:
    """The views by name, and the services: which features of which views each of them holds."""

    views: Mapping[str, ViewSchema]
    services: Mapping[str, Sequence[tuple[str, Sequence[str]]]]

    def view(self, name: str) -> ViewSchema:
        """Return a view. Raises UnknownError with the near miss."""
        if name not in self.views:
            raise UnknownError(f"no feature view '{name}'", did_you_mean(name, self.views))
        return self.views[name]

    def wanted(self, asked: Features) -> list[Wanted]:
        """Return what a request names, view by view. Raises UnknownError, RefusedError, TooMuchError."""
        if len(asked.names) > MOST_FEATURES:
            raise TooMuchError(f"{len(asked.names)} features were asked for, {MOST_FEATURES} are the most at once")
        if asked.WhichOneof("of") == "view":
            return [self.of_view(asked.view, asked.names)]
        if asked.WhichOneof("of") == "service":
            return self._of_service(asked.service, asked.names)
        raise RefusedError("neither a view nor a service was asked for", "set features.view or features.service")

    def of_view(self, name: str, features: Sequence[str]) -> Wanted:
        """Return features of a view, all of them where none is named. Raises UnknownError."""
        view = self.view(name)
        columns = {column.name: column for column in view.features}
        for feature in features:
            if feature not in columns:
                raise UnknownError(f"view '{name}' has no feature '{feature}'", did_you_mean(feature, columns))
        return Wanted(view, tuple(columns[feature] for feature in dict.fromkeys(features)) or view.features)

    def _of_service(self, name: str, names: Sequence[str]) -> list[Wanted]:
        if name not in self.services:
            known = (
                did_you_mean(name, self.services) if self.services else "none was applied: `echopulse feature apply`"
            )
            raise UnknownError(f"no feature service '{name}'", known)
        held = {f"{view}:{feature}": (view, feature) for view, features in self.services[name] for feature in features}
        for full in names:
            if full not in held:
                raise UnknownError(f"service '{name}' has no feature '{full}'", did_you_mean(full, held))
        by_view: dict[str, list[str]] = {}
        for full in dict.fromkeys(names) or held:
            view, feature = held[full]
            by_view.setdefault(view, []).append(feature)
        return [self.of_view(view, features) for view, features in by_view.items()]


def entity_keys(view: ViewSchema, entities: Sequence[Entity]) -> list[tuple[object, ...]]:
    """Return the values of a view's join keys for each entity. Raises RefusedError, TooMuchError."""
    if not entities:
        raise RefusedError("no entity was asked for")
    if len(entities) > MOST_ENTITIES:
        raise TooMuchError(f"{len(entities)} entities were asked for, {MOST_ENTITIES} are the most at once")
    return [tuple(_key(view, column, entity) for column in view.join_keys) for entity in entities]


def check_keys(views: Sequence[ViewSchema], entities: Sequence[Entity]) -> None:
    """Refuse a key that none of the views has. Raises RefusedError with the near miss."""
    known = {column.name for view in views for column in view.join_keys}
    for entity in entities:
        for key in entity.keys:
            if key not in known:
                names = ", ".join(f"'{view.name}'" for view in views)
                raise RefusedError(f"{names} has no key '{key}'", did_you_mean(key, known))


def _key(view: ViewSchema, column: Column, entity: Entity) -> object:
    value = entity.keys.get(column.name, "")
    if not value:
        raise RefusedError(f"view '{view.name}' needs the key '{column.name}' of every entity")
    if len(value) > LONGEST_KEY:
        raise TooMuchError(f"the key '{column.name}' has {len(value)} characters, {LONGEST_KEY} are the most")
    if column.type == "string":
        return value
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or int(value) not in _INT64:
        raise RefusedError(f"the key '{column.name}' of view '{view.name}' is '{value}', no whole number of 64 bits")
    return int(value)
