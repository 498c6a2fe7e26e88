"""The registry's challengers, for shadow alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.challenger import ChallengerStrategy
from transforms.strategies.model_sentiment import BagSentiment
from transforms.strategies.model_stance import BagStance, named_targets
from transforms.strategies.model_toxicity import BagToxicity

if TYPE_CHECKING:
    import pyarrow as pa

    from transforms.strategy import Context


class ChallengerSentiment(ChallengerStrategy, BagSentiment):
    """Sentiment by the challenger of the time."""

    name = "challenger"


class ChallengerToxicity(ChallengerStrategy, BagToxicity):
    """Toxicity by the challenger of the time."""

    name = "challenger"


class ChallengerStance(ChallengerStrategy, BagStance):
    """Stance by the challenger of the time, toward the targets of the option `targets`, else all of its own."""

    name = "challenger"

    def open(self, context: Context) -> None:
        """Keep the folder and the targets; raises EchoPulseError where no folder is named."""
        super().open(context)
        self._named = named_targets(context)

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Score each text toward each target; raises EchoPulseError where it cannot be opened, or lacks one."""
        self._challenger.current()
        self._targets = self._known(self._named)
        return super().analyze(batch)
