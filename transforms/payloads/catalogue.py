"""All platforms whose payloads are known, and which part of a declaration some payloads need."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.payloads import hash_name
from transforms.payloads import discord, generic, mastodon, slack, twitch, x, youtube

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.payloads.declaration import Payload, Plan

#: The first is what the payloads of all other sources are.
PLATFORMS: tuple[Payload, ...] = tuple(
    module.PAYLOAD for module in (generic, twitch, discord, slack, x, youtube, mastodon)
)
PLANS: tuple[Plan, ...] = tuple(platform.plan() for platform in PLATFORMS)

_TOPS = tuple(sorted({name for path in (*plan.words, *plan.ids) for name in path.top}) for plan in PLANS)
_PLATFORM_OF = {source: place for place, platform in enumerate(PLATFORMS) for source in platform.sources}

#: Hashes of the names at the top of each platform's payloads, 0 behind the last (kernels.payloads.mark_objects).
TOP_NAMES = np.zeros((len(PLATFORMS), 1 + max(map(len, _TOPS))), np.uint64)
for _row, _names in zip(TOP_NAMES, _TOPS, strict=True):
    _row[: len(_names)] = [hash_name(name.encode()) for name in _names]


def platforms_of(sources: pa.StringArray) -> NDArray[np.uint8]:
    """Return the place in PLATFORMS of each source, 0 for one that is not known."""
    coded = pc.dictionary_encode(sources)
    places = [_PLATFORM_OF.get(source.lower(), 0) for source in coded.dictionary.to_pylist()]
    found: NDArray[np.uint8] = np.array(places, np.uint8)[coded.indices.to_numpy()]
    return found


@lru_cache(maxsize=4096)
def plan_for(platform: int, present: int) -> Plan:
    """Return what to read in payloads with no other names at the top than those of these bits."""
    names = frozenset(name for bit, name in enumerate(_TOPS[platform]) if present >> bit & 1)
    return PLANS[platform].within(names)
