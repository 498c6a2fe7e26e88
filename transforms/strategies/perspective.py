"""Toxicity by a service that speaks the Perspective API: the worked example of a remote strategy.

The service at PERSPECTIVE_ENDPOINT (the whole URL of its comments:analyze) gets, as the query parameter `key`, what
PERSPECTIVE_API_KEY holds. Source of the protocol: the Perspective API reference, "AnalyzeComment".
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from schemas.errors import EchoPulseError
from transforms.kinds import TOXICITY
from transforms.languages.codes import UNDETERMINED
from transforms.remote.strategy import RemoteStrategy

if TYPE_CHECKING:
    from transforms.strategy import Context

ENDPOINT, KEY = "PERSPECTIVE_ENDPOINT", "PERSPECTIVE_API_KEY"
_ATTRIBUTE = "TOXICITY"


class Perspective(RemoteStrategy):
    """The service's probability that readers take a text for toxic; the option `threshold` says from where it is."""

    kind = "toxicity"
    name = "perspective"
    type = TOXICITY
    own_options = ("threshold",)

    def open(self, context: Context) -> None:
        """Read the threshold, 0 to 1; 0.5 without it."""
        written = context.options.get("threshold", "0.5")
        try:
            self._threshold = float(written)
        except ValueError:
            self._threshold = math.nan
        if not 0 <= self._threshold <= 1:
            raise EchoPulseError(f"option threshold of 'perspective' is '{written}'", "a number from 0 to 1")
        super().open(context)

    def address(self) -> tuple[str, dict[str, str]]:
        """Return the endpoint and the key that the environment names."""
        endpoint = os.environ.get(ENDPOINT, "")
        if not endpoint.startswith(("http://", "https://")):
            raise EchoPulseError(
                f"{ENDPOINT} is '{endpoint}', 'perspective' needs a URL", "the address of its comments:analyze"
            )
        key = os.environ.get(KEY, "")
        return endpoint, {"key": key} if key else {}

    def body(self, text: str, language: str) -> object:
        """Return the question; the service tells the language itself where we cannot."""
        languages = {} if language == UNDETERMINED else {"languages": [language]}
        return {"comment": {"text": text}, **languages, "requestedAttributes": {_ATTRIBUTE: {}}, "doNotStore": True}

    def read(self, document: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON there is
        """Return the summary score; hate and offence, which the service is not asked for, are not known: NaN."""
        probability = document["attributeScores"][_ATTRIBUTE]["summaryScore"]["value"]
        if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
            raise ValueError(probability)
        toxic = int(probability >= self._threshold)
        return {"probability": float(probability), "toxic": toxic, "hate": math.nan, "offensive": math.nan}
