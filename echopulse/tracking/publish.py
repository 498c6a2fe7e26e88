"""Tell MLflow of a run where there is one; a run is never lost to a server that is away, and never waits for one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from echopulse.tracking.delivery import deliver
from echopulse.tracking.outbox import Outbox
from echopulse.tracking.record import RunRecord
from echopulse.tracking.server import MlflowAwayError, MlflowRefusedError, MlflowServer
from echopulse.tracking.source import code_version
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from echopulse.settings import Settings

_SERVICE = "mlflow"
#: What there is dozens of in a search: the search's own run has them all.
_TRIAL = "trial"


def is_expected(settings: Settings) -> bool:
    """Say whether there should be an MLflow: one is named in the settings, or `up` runs its own."""
    from echopulse.stack import run_file, stack_settings  # noqa: PLC0415 - heavier than a refusal of wrong usage

    if not _is_own(settings):
        return True
    return any(entry.name == _SERVICE for entry in run_file.read(stack_settings(settings).run))


def yet_to_come(settings: Settings) -> str:
    """Say that, and why, the MLflow of `up` is not there yet, '' where none is on its way."""
    from echopulse.stack import run_file, stack_settings  # noqa: PLC0415 - as above
    from echopulse.stack.processes import is_alive  # noqa: PLC0415 - as above

    if not _is_own(settings):
        return ""
    for absence in run_file.absences(stack_settings(settings).run):
        if (absence.name, absence.phase == "failed") == (_SERVICE, False) and is_alive(absence.told_by):
            return f"not there yet: {absence.detail}"
    return ""


def open_server(settings: Settings) -> MlflowServer:
    """Return the server of the settings, not yet asked anything."""
    hint = "`echopulse status` tells how it is" if _is_own(settings) else ""
    return MlflowServer(settings.tracking.uri, settings.tracking.token.get_secret_value(), hint)


def outbox(settings: Settings) -> Outbox:
    """Return the home's folder of runs that wait."""
    return Outbox(settings.home / "tracking")


@contextmanager
def recorded(kind: str, name: str, publish: Callable[[RunRecord], object]) -> Iterator[RunRecord]:
    """Yield a record to fill; at the end, also a bad one, it is given to `publish`."""
    record = RunRecord(kind, name, tags=code_version())
    try:
        yield record
    except BaseException as error:
        record.end("FAILED" if isinstance(error, Exception) else "KILLED")
        record.tags["echopulse.error"] = f"{type(error).__name__}: {error}"[:500]
        publish(record)
        raise
    record.end()
    publish(record)


def publish(settings: Settings, records: Sequence[RunRecord], say: Callable[[str], None]) -> None:
    """Send runs, after those that waited; a run that MLflow cannot take now is kept, and sent with the next one.

    Says in one line what did not go as it should, else which runs they are: of a search its own, and that of the
    training of its best model, which the registry names. Raises nothing.
    """
    if not is_expected(settings):
        if any(record.status == "FINISHED" for record in records):  # else what ended it is told anyway
            _put_off(settings, records, say)
        return
    box, experiment = outbox(settings), settings.tracking.experiment
    left = list(records)
    try:
        with open_server(settings) as server:
            sent, refused = box.send(server, experiment)
            if sent:
                say(f"runs that had waited for MLflow and were sent: {sent}")
            for reason in refused:
                say(f"put aside: {reason}")
            runs = {}
            while left:
                runs[deliver(server, experiment, left[0])] = left[0]
                left.pop(0)
    except MlflowAwayError as error:
        _keep(box, left, str(error), say)
    except MlflowRefusedError as error:
        say(f"not tracked: {error}")
    else:
        _say_which(runs, settings.tracking.uri, say)


def _is_own(settings: Settings) -> bool:
    return settings.tracking.uri == f"http://127.0.0.1:{settings.stack.mlflow_port}"


def _say_which(runs: Mapping[str, RunRecord], uri: str, say: Callable[[str], None]) -> None:
    for run, record in runs.items():
        if record.kind != _TRIAL:
            say(f"run {run} ({record.name}) at {uri}")


def _put_off(settings: Settings, records: Sequence[RunRecord], say: Callable[[str], None]) -> None:
    """Keep runs for an MLflow that is on its way; say that they are lost where none is."""
    if reason := yet_to_come(settings):
        _keep(outbox(settings), records, f"MLflow is {reason}", say)
    else:
        say("not tracked: no MLflow is named in tracking.uri, and `up` runs none")


def _keep(box: Outbox, records: Sequence[RunRecord], reason: str, say: Callable[[str], None]) -> None:
    try:
        for record in records:
            box.keep(record)
    except (EchoPulseError, OSError) as error:
        say(f"not tracked: {reason}; nor could it be kept: {error}")
        return
    told = "the run is" if len(records) == 1 else f"{len(records)} runs are"
    say(f"{reason}; {told} kept in {box.folder} and sent with the next one")
