"""Where what was said of an event comes from: its models, how they became champions, their runs, the files behind them.

And back: which models a file of texts went into, and of what times they scored events.
"""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echopulse.registry.store import ModelStore
from echopulse.registry.verdict import signing_key, verified
from echopulse.tracking.publish import is_expected, open_server
from schemas.errors import EchoPulseError
from transforms.artifact import MANIFEST, SHIPPED, Manifest, file_digest, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from echopulse.registry.versions import Entry
    from echopulse.settings import Settings
    from echopulse.tracking.server import MlflowServer

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: What MLflow calls the data sets of a run.
_INPUTS = "dataset_inputs"


@contextmanager
def opened_lineage(settings: Settings) -> Iterator[Lineage]:
    """Yield it over the settings' MLflow; where there is none, it knows the models that ship."""
    if not is_expected(settings):
        yield Lineage(settings, None)
        return
    with open_server(settings) as server:
        yield Lineage(settings, server)


@dataclass
class Lineage:
    """Follows models, fetching no more of them than manifests. Raises EchoPulseError where MLflow is away."""

    settings: Settings
    server: MlflowServer | None

    @cached_property
    def store(self) -> ModelStore | None:
        """The registry, None without an MLflow."""
        if self.server is None:
            return None
        return ModelStore(self.server, self.settings.tracking.experiment, self.settings.home / "models")

    def of_result(self, result: dict[str, Any]) -> dict[str, Any]:
        """Follow an AnalysisResult, decoded, to the files that its models learnt from."""
        ts_ms = round(result["ts"].timestamp() * 1_000)
        models = {}
        for kind, said_by in sorted(result["models"].items()):
            digests = _DIGEST.findall(said_by)
            models[kind] = {"said_by": said_by, "chain": [self._model(kind, digest, ts_ms) for digest in digests]}
        named = ("event_id", "channel_id", "source", "sentiment", "toxicity")
        return {name: result[name] for name in named} | {"ts_ms": ts_ms, "models": models}

    def of_file(self, digest: str) -> list[dict[str, Any]]:
        """Return the registered models that learnt from a file, each with the spans of event time that it scores."""
        if self.store is None:
            raise EchoPulseError("which models there are is kept by MLflow, and there is none", "`echopulse up`")
        found = []
        for task in self.store.tasks():
            entries = self.store.timeline(task).entries
            ends = [*(step.valid_from_ms for step in entries[1:]), None][: len(entries)]
            for entry in self.store.entries(task):
                names = [name for name, told in _files(self._manifest(entry)).items() if told == digest]
                if names:
                    spans = [
                        {"from_ms": step.valid_from_ms, "to_ms": end}
                        for step, end in zip(entries, ends, strict=True)
                        if step.digest == entry.digest
                    ]
                    named = {"task": task, "digest": entry.digest, "name": entry.name, "run": entry.run}
                    found.append(named | {"as": names, "scores": spans})
        return found

    def _model(self, task: str, digest: str, ts_ms: int) -> dict[str, Any]:
        entry = self._entry(task, digest)
        manifest = self._manifest(entry) if entry else _of_those_that_ship(digest)
        run = None if entry is None or not entry.run else self._run(entry.run)
        told: dict[str, Any] = {
            "digest": digest,
            "name": manifest.name if manifest else None,
            "registered": entry is not None,
            "promotion": self._promotion(task, digest, ts_ms),
            "run": run,
            "files": [
                {"name": name, "digest": known, "here": self._here(name, known, run)}
                for name, known in sorted(_files(manifest).items())
            ],
        }
        if manifest and manifest.cascade:
            stages = (manifest.cascade.first_digest, manifest.cascade.second_digest)
            told["stages"] = [self._model(task, stage, ts_ms) for stage in stages]
        return told

    def _entry(self, task: str, digest: str) -> Entry | None:
        entries = self.store.entries(task) if self.store else []
        return next((entry for entry in entries if entry.digest == digest), None)

    def _promotion(self, task: str, digest: str, ts_ms: int) -> dict[str, Any] | None:
        """Return the step by which a model scores events of a time, None where another one does, or none."""
        step = self.store.timeline(task).at(ts_ms) if self.store else None
        if step is None or step.digest != digest:
            return None
        told = {
            "kind": step.kind,
            "number": step.number,
            "from_ms": step.valid_from_ms,
            "written_ms": step.written_ms,
            "after_the_event": step.written_ms > ts_ms,
            "by": step.by,
        }
        if not step.verdict:
            return told
        verdict = json.loads(step.verdict)["verdict"]
        gates = {one["gate"]: one["told"] for one in verdict["results"] if one["passed"]}
        try:
            verified(step.verdict, signing_key(self.settings))
        except EchoPulseError as error:
            signature = error.message
        else:
            signature = "valid"
        return told | {"judged_ms": verdict["judged_ms"], "passed": gates, "signature": signature}

    def _run(self, run_id: str) -> dict[str, Any] | None:
        if self.server is None:
            return None
        run = self.server.get("runs/get", run_id=run_id)["run"]
        tags = {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}
        inputs = [one["dataset"] for one in run.get("inputs", {}).get(_INPUTS, [])]
        return {
            "id": run_id,
            "name": run["info"].get("run_name", ""),
            "began_ms": int(run["info"]["start_time"]),
            "commit": tags.get("mlflow.source.git.commit"),
            "version": tags.get("echopulse.version"),
            "sources": {one["name"]: json.loads(one["source"]).get("uri", "") for one in inputs},
        }

    def _here(self, name: str, digest: str, run: dict[str, Any] | None) -> str | None:
        """Return where a file lies still, unchanged; None where it does not."""
        places = [self.settings.training_data / name]
        if run is not None and (source := run["sources"].get(name)):
            places.append(Path(source))
        return next((str(place) for place in places if place.is_file() and file_digest(place) == digest), None)

    def _manifest(self, entry: Entry) -> Manifest | None:
        if self.server is None:
            return None
        with tempfile.TemporaryDirectory() as made:
            path = Path(made) / MANIFEST
            self.server.download(entry.source, MANIFEST, path)
            if file_digest(path) != entry.digest:
                raise EchoPulseError(f"{entry.task}@{entry.digest[:19]}: what MLflow keeps is {file_digest(path)[:19]}")
            return Manifest.model_validate_json(path.read_bytes())


def _of_those_that_ship(digest: str) -> Manifest | None:
    for name in shipped():
        path = SHIPPED / name / MANIFEST
        if file_digest(path) == digest:
            return Manifest.model_validate_json(path.read_bytes())
    return None


def _files(manifest: Manifest | None) -> dict[str, str]:
    """Return the files that a model learnt from, by name, with their digests: its data set as it is declared."""
    declared = manifest.training if manifest else {}
    return {**declared.get("data", {}), **declared.get("unlabelled", {})}
