"""Strategies that ask a service for each text, and fall back where it gives no answer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from schemas.errors import EchoPulseError, did_you_mean
from transforms.kinds import MODEL, declared_kind
from transforms.remote.client import Client, Limits
from transforms.scoring import checked
from transforms.strategy import Context, Strategy
from transforms.verdict import TextBatch

if TYPE_CHECKING:
    from collections.abc import Mapping

FALLBACK = "fallback"


class RemoteStrategy(Strategy):
    """A strategy whose kind's struct has a field `model`, and that asks a service: a subclass says what and reads it.

    Options: those of Limits, and `fallback`, the name of a strategy of the same kind that answers for the service
    (without it the kind's neutral value does). `models` says which of them it was: `strategy:<name>`, or
    `strategy:<name>:fallback:<reason>`. Equal texts of a batch are asked once.
    """

    #: Options of the subclass's own, which it reads itself.
    own_options: ClassVar[tuple[str, ...]] = ()
    _fallback: Strategy | None = None

    @abstractmethod
    def address(self) -> tuple[str, dict[str, str]]:
        """Return the service's URL and query parameters; raises EchoPulseError where they are not set."""

    @abstractmethod
    def body(self, text: str, language: str) -> object:
        """Return the JSON of the question for a text (Unicode NFKC) in a language (ISO 639-1 or 'und')."""

    @abstractmethod
    def read(self, document: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON there is
        """Return the kind's value, `model` left out, of an answer's JSON.

        Raises KeyError, IndexError, TypeError or ValueError where it is not there.
        """

    def open(self, context: Context) -> None:
        """Prepare the client, which connects when it is first needed, and open the fallback."""
        if declared_kind(self.kind, self.type).models(pa.array([], self.type)) is None:
            raise EchoPulseError(f"'{self.name}' for {self.kind} cannot say what scored", f"its type lacks `{MODEL}`")
        limits = _limits(self, context.options)
        url, params = self.address()
        if FALLBACK in context.options:
            self._fallback = context.another(context.options[FALLBACK])
        self._client = Client(url, limits, params=params)

    def close(self) -> None:
        """Hang up."""
        self._client.close()
        if self._fallback is not None:
            self._fallback.close()

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Ask for each text."""
        # Loops over rows: a network call for each costs more than a thousand times as much.
        asked = list(zip(batch.column("text").to_pylist(), batch.column("language").to_pylist(), strict=True))
        distinct = list(dict.fromkeys(asked))
        answers = dict(zip(distinct, self._client.ask([self.body(*each) for each in distinct], self.read), strict=True))
        told = [answers[each] for each in asked]
        scored = [{**answer.value, MODEL: f"strategy:{self.name}"} for answer in told if not answer.reason]
        values = pa.array(scored, self.type)
        failed = np.flatnonzero([bool(answer.reason) for answer in told])
        if not len(failed):
            return values
        models = [f"strategy:{self.name}:fallback:{told[row].reason}" for row in failed]
        both = pa.concat_arrays([values, self._instead(batch.take(pa.array(failed)), models)])
        order = np.argsort(np.concatenate([np.setdiff1d(np.arange(len(told)), failed), failed]))
        return both.take(pa.array(order))

    def _instead(self, batch: pa.RecordBatch, models: list[str]) -> pa.StructArray:
        """Return the fallback's values for a batch, neutral in languages it does not know, named by `models`."""
        neutral = pa.array([declared_kind(self.kind, self.type).neutral], self.type)
        known = np.full(batch.num_rows, -1)
        answers = neutral
        if self._fallback is not None:
            part, places = TextBatch(batch).known_to(self._fallback)
            known[places] = np.arange(len(places))
            answers = pa.concat_arrays([checked(self._fallback, part), neutral])
        fields = answers.take(pa.array(np.where(known < 0, len(answers) - 1, known))).flatten()
        fields[self.type.get_field_index(MODEL)] = pa.array(models, pa.string())
        return pa.StructArray.from_arrays(fields, fields=list(self.type))


def _limits(strategy: RemoteStrategy, options: Mapping[str, str]) -> Limits:
    known = (*Limits.model_fields, FALLBACK, *strategy.own_options)
    for name in options:
        if name not in known:
            raise EchoPulseError(f"'{strategy.name}' has no option '{name}'", did_you_mean(name, known))
    try:
        return Limits.model_validate({name: options[name] for name in Limits.model_fields if name in options})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise EchoPulseError(f"option {name} of '{strategy.name}' is '{options[name]}': {first['msg']}") from error
