"""Floods: one text, but for numbers, emotes, mentions and links, sent over and over: copypasta, raids, spam."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: So many copies are a flood where they are also this share of the window's messages; a text of many words, which
#: nobody writes twice by chance, is one from fewer on.
COPIES, SHARE = 20, 0.05
LONG_WORDS, LONG_COPIES = 5, 5


def find_floods(
    segment: NDArray[np.int64], skeletons: NDArray[np.int64], words: NDArray[np.int64], segments: int
) -> NDArray[np.int64]:
    """Return the number of the flood that each message belongs to, -1 for none; floods are numbered over all segments.

    `skeletons` and `words` are each message's skeleton (0 for none) and how many terms it has.
    """
    rows = np.flatnonzero(skeletons != 0)
    flood = np.full(len(segment), -1, np.int64)
    if not len(rows):
        return flood
    order = rows[np.lexsort((skeletons[rows], segment[rows]))]
    new = np.ones(len(order), np.bool_)
    new[1:] = (segment[order][1:] != segment[order][:-1]) | (skeletons[order][1:] != skeletons[order][:-1])
    firsts, group = np.flatnonzero(new), np.cumsum(new) - 1
    copies = np.diff(np.append(firsts, len(order)))
    total = np.bincount(segment, minlength=segments)[segment[order[firsts]]]
    long = words[order[firsts]] >= LONG_WORDS
    floods = ((copies >= COPIES) & (copies >= SHARE * total)) | (long & (copies >= LONG_COPIES))
    number = np.cumsum(floods) - 1
    flood[order] = np.where(floods[group], number[group], -1)
    return flood
