"""English words that chat in other languages hardly holds: a text with several needs no model to be English."""

from __future__ import annotations

from typing import Final

_WORDS: Final = (
    "the and you that this what with your they them their there these those would should could can't don't didn't "
    "doesn't won't isn't wasn't i'm i've i'll i'd you're you've he's she's it's that's what's there's we're they're "
    "know think really people about because where how who why just like been being were from into than if his her "
    "him she our which while through again after before never always ever every much many only still even other "
    "something things thing going gonna wanna want got see said say make makes need look come today tomorrow tonight"
)
ENGLISH: Final = tuple(_WORDS.split())
