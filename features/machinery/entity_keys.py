"""The join keys of one entity, as a person writes them, held against those of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_entity(view: str, keys: Sequence[str], entity: Mapping[str, str]) -> None:
    """Raise EchoPulseError for a key that the view has not, with the near miss, and for one that is missing."""
    for key in entity:
        if key not in keys:
            raise EchoPulseError(f"view '{view}' has no key '{key}'", did_you_mean(key, keys))
    if missing := [key for key in keys if key not in entity]:
        raise EchoPulseError(f"view '{view}' needs the key '{missing[0]}'", f"--entity {missing[0]}=...")
