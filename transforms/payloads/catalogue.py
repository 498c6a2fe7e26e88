"""All platforms whose payloads are known, and which part of a declaration some payloads need."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.payloads import SLOTS, hash_name
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


def _slot(name: str) -> int:
    encoded = np.frombuffer(name.encode(), np.uint8)
    return hash_name(encoded, 0, len(encoded))


_PLATFORM_OF = {source: place for place, platform in enumerate(PLATFORMS) for source in platform.sources}

#: By platform and slot of a name (kernels.payloads.hash_name): its bits where it may stand at the top of a payload, and
#: whether it is read anywhere.
TOP_NAMES = np.zeros((len(PLATFORMS), SLOTS), np.uint64)
ALL_NAMES = np.zeros((len(PLATFORMS), SLOTS), np.bool_)
for _platform, _plan in enumerate(PLANS):
    for _bit, _name in enumerate(_TOPS[_platform]):
        TOP_NAMES[_platform, _slot(_name)] |= np.uint64(1 << _bit)
    for _path in (*_plan.words, *_plan.ids):
        for _name in _path.names:
            ALL_NAMES[_platform, _slot(_name)] = True


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
