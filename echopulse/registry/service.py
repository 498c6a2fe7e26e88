"""The calls of ModelRegistry and Analyze, from request to answer."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import grpc

from echopulse.registry import report
from echopulse.registry.opening import find, opened_store, parse_reference
from echopulse.registry.promotion import Promotion, RefusedPromotionError, promote, rollback
from echopulse.registry.verdict import signing_key
from echopulse.telemetry import logger
from echopulse.tracking.server import MlflowAwayError
from schemas import model_registry_pb2 as messages
from schemas.errors import EchoPulseError
from schemas.model_registry_pb2_grpc import AnalyzeServicer, ModelRegistryServicer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from echopulse.registry.scoring import Scorer
    from echopulse.settings import Settings

_LOG = logger(__name__)


class ModelRegistry(ModelRegistryServicer):  # type: ignore[misc] # generated without types
    """Answers from MLflow. `data` is the folder of labelled files that the gates read, the settings' where None."""

    def __init__(self, settings: Settings, data: Path | None = None) -> None:
        """Keep what to answer from."""
        self._settings, self._data = settings, data

    def ListModels(self, request: messages.TaskRequest, context: grpc.ServicerContext) -> messages.ModelList:  # noqa: N802 as the contract has it
        """Return the models of a task, or of all."""
        with _told(context), opened_store(self._settings) as store:
            found = report.models(store, request.task or None)
            return messages.ModelList(models=[messages.Model(**one) for one in found])

    def ShowModel(self, request: messages.ModelRequest, context: grpc.ServicerContext) -> messages.ShownModel:  # noqa: N802 as the contract has it
        """Return a model, when it scores and what was said of it."""
        with _told(context), opened_store(self._settings) as store:
            entry = find(store, parse_reference(request.reference))
            document = report.shown(store, entry, signing_key(self._settings))
            verdict, signature, spans = (document.pop(key) for key in ("verdict", "signature", "scores"))
            return messages.ShownModel(
                model=messages.Model(**document),
                scores=[messages.Span(**span) for span in spans],
                verdict=None if verdict is None else _verdict(verdict),
                signature=signature or "",
            )

    def ReadTimeline(self, request: messages.TaskRequest, context: grpc.ServicerContext) -> messages.Timeline:  # noqa: N802 as the contract has it
        """Return which model scores events of which time."""
        with _told(context), opened_store(self._settings) as store:
            entries = report.steps(store.timeline(request.task))
            return messages.Timeline(entries=[messages.TimelineEntry(**entry) for entry in entries])

    def Promote(self, request: messages.PromoteRequest, context: grpc.ServicerContext) -> messages.Promoted:  # noqa: N802 as the contract has it
        """Judge a model and make it the champion."""
        with _told(context):
            at_ms = request.at_ms if request.HasField("at_ms") else None
            approver = _person(context, request.approver)
            asked = Promotion(parse_reference(request.reference), at_ms, approver, self._data)
            with opened_store(self._settings) as store:
                step, verdict = promote(store, self._settings, asked, _LOG.info)
            entry = messages.TimelineEntry(**report.step_document(step))
            return messages.Promoted(entry=entry, verdict=_verdict(asdict(verdict)))

    def Rollback(self, request: messages.RollbackRequest, context: grpc.ServicerContext) -> messages.TimelineEntry:  # noqa: N802 as the contract has it
        """Go back to the champion before the last change."""
        with _told(context):
            by = _person(context, request.by)
            with opened_store(self._settings) as store:
                step = rollback(store, self._settings, request.task, by)
            return messages.TimelineEntry(**report.step_document(step))


class Analyze(AnalyzeServicer):  # type: ignore[misc] # generated without types
    """Scores texts by the model that a reference names."""

    def __init__(self, settings: Settings, scorer: Scorer) -> None:
        """Keep the opened models."""
        self._settings, self._scorer = settings, scorer

    def Score(self, request: messages.ScoreRequest, context: grpc.ServicerContext) -> messages.ScoreAnswer:  # noqa: N802 as the contract has it
        """Score the texts."""
        with _told(context):
            reference = parse_reference(request.reference)
            with opened_store(self._settings) as store:
                entry = find(store, reference)
                folder = store.fetch(entry)
            found = self._scorer.score(folder, entry.digest, entry.task, request.texts, request.target)
            scores = [
                messages.TextScore(label=label, probabilities=chances)
                for label, chances in zip(found.said, found.chances, strict=True)
            ]
            return messages.ScoreAnswer(digest=found.digest, labels=found.labels, scores=scores)


def _verdict(document: Mapping[str, Any]) -> messages.Verdict:
    results = [messages.GateResult(**result) for result in document["results"]]
    return messages.Verdict(**{**document, "results": results})


def _person(context: grpc.ServicerContext, named: str) -> str:
    """Return who asks. With mutual TLS the certificate says it; raises EchoPulseError where another one is named."""
    names = context.auth_context().get("x509_common_name", [])
    if not names:
        return named
    shown = str(names[0].decode("utf-8", "replace"))
    if named not in {"", shown}:
        raise EchoPulseError(f"the certificate is that of '{shown}', not of '{named}'")
    return shown


@contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """End a call with the status of what is raised in it; what nobody foresaw is INTERNAL, and in the log."""
    try:
        yield
    except MlflowAwayError as error:
        context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
    except RefusedPromotionError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    except EchoPulseError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except Exception as error:  # noqa: BLE001 the last line of defence: told in a line, kept in the log
        _LOG.error("a call failed", exc_info=error)
        context.abort(grpc.StatusCode.INTERNAL, f"unexpected {type(error).__name__}; the server's log has it")
