"""The models that MLflow keeps, by task and digest; MLflow's own version numbers are of no meaning here."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echopulse.registry.probe import probe, tasks_of
from echopulse.registry.timeline import fold
from echopulse.registry.versions import described, entry_of, step_of, step_tags
from echopulse.tracking.delivery import KIND, WHOLE, deliver, experiment_id
from echopulse.tracking.model_run import MODEL
from echopulse.tracking.record import RunRecord
from echopulse.tracking.server import MlflowRefusedError
from echopulse.tracking.source import code_version
from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import MANIFEST, file_digest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from echopulse.registry.timeline import Step, Timeline
    from echopulse.registry.versions import Entry
    from echopulse.tracking.server import MlflowServer

CHAMPION, CHALLENGER = "champion", "challenger"
#: Registered models whose versions are the steps of a task's timeline.
_TIMELINE = ".timeline"
_EXISTS, _MISSING = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"


class ModelStore:
    """Models and timelines at an MLflow server; `cache` holds artifacts that were fetched, by digest."""

    def __init__(self, server: MlflowServer, experiment: str, cache: Path) -> None:
        """Ask nothing yet."""
        self._server, self._experiment, self._cache = server, experiment, cache

    def tasks(self) -> list[str]:
        """Return the tasks that there are models for."""
        found = self._server.pages("registered-models/search", "registered_models")
        return sorted(model["name"] for model in found if not model["name"].endswith(_TIMELINE))

    def entries(self, task: str) -> list[Entry]:
        """Return a task's models, the oldest first; one that was registered twice counts once."""
        first: dict[str, Entry] = {}
        for version in self._versions(task):
            if (entry := entry_of(task, version)) is not None:
                first.setdefault(entry.digest, entry)
        return list(first.values())

    def entry(self, task: str, digest: str) -> Entry:
        """Return the model of a digest or of a prefix of one; raises EchoPulseError naming the candidates."""
        entries = self.entries(task)
        if not entries:
            known = self.tasks()
            near = did_you_mean(task, known) if known else "echopulse registry register MODEL"
            raise EchoPulseError(f"no model is registered for '{task}'", near)
        found = [entry for entry in entries if entry.digest.startswith(digest)]
        if not found:
            told = ", ".join(f"{entry.digest[:19]} ({entry.name})" for entry in entries[-5:])
            raise EchoPulseError(f"no model {digest} for {task}", f"the newest: {told}")
        if len(found) > 1:
            told = ", ".join(f"{entry.digest[:27]} ({entry.name})" for entry in found)
            raise EchoPulseError(f"{task}@{digest} is ambiguous: {told}", "give more digits")
        return found[0]

    def register(self, folder: Path, tasks: Sequence[str] = ()) -> dict[str, Entry]:
        """Register an artifact for each of its tasks, or those named, as their challenger; return them by task.

        The run of its training holds it where there is one, else a run is made for it. Raises EchoPulseError where it
        is no model that could score, or lacks a task.
        """
        manifest, digest = read_manifest(folder)
        own = tasks_of(manifest)
        for task in tasks:
            if task not in own:
                raise EchoPulseError(f"model '{manifest.name}' has no task '{task}'", did_you_mean(task, own))
        probe(folder)
        registered: dict[str, Entry] = {}
        run = ""
        for task in dict.fromkeys(tasks) or own:
            known = [entry for entry in self.entries(task) if entry.digest == digest]
            if not known:
                run = run or self._run_of(digest) or self._kept(folder, manifest.name)
                self._create(task, self._source(run), run, described(manifest.kind, manifest.name, folder, digest))
                known = [entry for entry in self.entries(task) if entry.digest == digest]
            registered[task] = known[0]
            if (last := self.timeline(task).last) is None or last.digest != digest:
                self.point(known[0], CHALLENGER)
        return registered

    def fetch(self, entry: Entry) -> Path:
        """Return the folder of a model's artifact, fetched once; raises EchoPulseError where it is not the digest's."""
        folder = self._cache / entry.digest.removeprefix("sha256:")
        if folder.is_dir():
            read_manifest(folder)
            return folder
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache, prefix=".fetching-") as made:
            partial = Path(made) / "model"
            partial.mkdir()
            self._server.download(entry.source, MANIFEST, partial / MANIFEST)
            found = file_digest(partial / MANIFEST)
            if found != entry.digest:
                raise EchoPulseError(
                    f"{entry.task}@{entry.digest[:19]}: what MLflow keeps is {found[:19]}", "register it again"
                )
            for name in json.loads((partial / MANIFEST).read_bytes())["files"]:
                if Path(name).name != name:
                    raise EchoPulseError(f"{entry.task}@{entry.digest[:19]} names a file outside itself: {name}")
                self._server.download(entry.source, name, partial / name)
            read_manifest(partial)
            try:
                partial.rename(folder)
            except OSError:  # another process was faster
                if not folder.is_dir():
                    raise
        return folder

    def tag(self, entry: Entry, key: str, value: str) -> None:
        """Write a tag onto a model."""
        self._server.post("model-versions/set-tag", name=entry.task, version=entry.version, key=key, value=value)

    def point(self, entry: Entry, alias: str) -> None:
        """Let an alias of MLflow's name a model, for those who read MLflow alone."""
        self._server.post("registered-models/alias", name=entry.task, alias=alias, version=entry.version)

    def unpoint(self, task: str, alias: str) -> None:
        """Take an alias away, where it is there."""
        try:
            self._server.delete("registered-models/alias", name=task, alias=alias)
        except MlflowRefusedError as error:
            if error.code != _MISSING:
                raise

    def pointed(self, task: str, alias: str) -> Entry | None:
        """Return the model that an alias names, None where it names none."""
        try:
            version = self._server.get("registered-models/alias", name=task, alias=alias)["model_version"]
        except MlflowRefusedError as error:
            if error.code in {_MISSING, "INVALID_PARAMETER_VALUE"}:
                return None
            raise
        return entry_of(task, version)

    def timeline(self, task: str) -> Timeline:
        """Read a task's timeline."""
        return fold(map(step_of, self._versions(task + _TIMELINE)))

    def append(self, entry: Entry, step: Step) -> tuple[int, Timeline]:
        """Write a step onto the timeline of the model's task; return its number, and the timeline with it.

        MLflow numbers versions one after the other: of two that were written at once, one comes first.
        """
        number = self._create(entry.task + _TIMELINE, entry.source, entry.run, step_tags(step))
        return number, self.timeline(entry.task)

    def _versions(self, name: str) -> list[dict[str, Any]]:
        found = self._server.pages("model-versions/search", "model_versions", filter=f"name='{name}'")
        return sorted(found, key=lambda version: int(version["version"]))

    def _create(self, name: str, source: str, run: str, tags: Mapping[str, str]) -> int:
        try:
            self._server.post("registered-models/create", name=name)
        except MlflowRefusedError as error:
            if error.code != _EXISTS:
                raise
        listed = [{"key": key, "value": value} for key, value in tags.items() if value]
        made = self._server.post("model-versions/create", name=name, source=source, run_id=run, tags=listed)
        return int(made["model_version"]["version"])

    def _kept(self, folder: Path, name: str) -> str:
        record = RunRecord("register", f"register {name}", tags=code_version(), files={MODEL: folder})
        record.end()
        return deliver(self._server, self._experiment, record)

    def _run_of(self, digest: str) -> str:
        """Return the run of the training that made an artifact, '' where there is none."""
        wanted = f"tags.`echopulse.digest` = '{digest}' AND tags.`{KIND}` = 'train' AND tags.`{WHOLE}` = 'true'"
        owner = experiment_id(self._server, self._experiment)
        found = self._server.post("runs/search", experiment_ids=[owner], filter=wanted, max_results=1).get("runs", [])
        return str(found[0]["info"]["run_id"]) if found else ""

    def _source(self, run: str) -> str:
        return f"{self._server.get('runs/get', run_id=run)['run']['info']['artifact_uri']}/{MODEL}"
