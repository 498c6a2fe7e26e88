"""The registry's challengers, for shadow alone."""

from __future__ import annotations

from transforms.challenger import ChallengerStrategy
from transforms.strategies.model_sentiment import BagSentiment
from transforms.strategies.model_toxicity import BagToxicity


class ChallengerSentiment(ChallengerStrategy, BagSentiment):
    """Sentiment by the challenger of the time."""

    name = "challenger"


class ChallengerToxicity(ChallengerStrategy, BagToxicity):
    """Toxicity by the challenger of the time."""

    name = "challenger"
