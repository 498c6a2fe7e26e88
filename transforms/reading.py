"""What a transformer is given of a text, by the style of its manifest's `reading`.

`normalised` is what the models trained here read: lower case, evasions undone, moods told. `tweet` is the text as it
was written (Unicode NFKC), URLs and mentions reduced as TweetEval's models know them (Barbieri et al. 2020), and
`written` the same with nothing reduced, for checkpoints that were trained on other texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

#: What normalisation makes of a URL and of a mention, and the words for them that the models are trained with.
_URL, _LINK = "://", "http"
_MENTION, _USER = r"(^|\s)@(\s|$|[^\w\s])", r"\1@user\2"
#: Words between spaces that begin as a URL or a mention.
_WRITTEN_URL, _WRITTEN_LINK = "(^| )http[^ ]*", r"\1http"
_WRITTEN_MENTION, _WRITTEN_USER = "(^| )@[^ ]+", r"\1@user"


def pieces_text(texts: pa.StringArray) -> pa.StringArray:
    """Return normalised texts as a word-piece tokeniser should see them: `http` for a URL, `@user` for a mention."""
    return pc.replace_substring_regex(pc.replace_substring(texts, _URL, _LINK), _MENTION, _USER)


def tweet_text(texts: pa.StringArray) -> pa.StringArray:
    """Return texts with `http` for a word that begins so, and `@user` for one that begins with an @, as TweetEval."""
    mentions = pc.replace_substring_regex(texts, _WRITTEN_MENTION, _WRITTEN_USER)
    return pc.replace_substring_regex(mentions, _WRITTEN_URL, _WRITTEN_LINK)


def _as_it_is(texts: pa.StringArray) -> pa.StringArray:
    return texts


#: By style: the column of transforms.strategy.TEXTS that is read, and what becomes of it before it is cut into pieces.
STYLES: dict[str, tuple[str, Callable[[pa.StringArray], pa.StringArray]]] = {
    "normalised": ("normalised", pieces_text),
    "tweet": ("text", tweet_text),
    "written": ("text", _as_it_is),
}
