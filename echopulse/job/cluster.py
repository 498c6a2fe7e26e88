"""A Flink cluster by its REST interface (Flink 2.3, "REST API v1")."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx

from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT_S = 10
_POLL_S = 0.2
#: What an instance that has had no watermark yet shows: Java's least long.
_NO_WATERMARK = -(2**63)
ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})


@dataclass(frozen=True)
class JobSummary:
    """One job as the cluster lists it; `start_ms` is wall time, UTC."""

    id: str
    name: str
    state: str
    start_ms: int


class FlinkCluster:
    """The cluster at `rest` (http://host:port). Every call has a time-out; EchoPulseError when nothing answers."""

    def __init__(self, rest: str) -> None:
        """Open a pooled connection; nothing is asked yet."""
        self.rest = rest
        self._client = httpx.Client(base_url=rest, timeout=_TIMEOUT_S)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def jobs(self) -> list[JobSummary]:
        """List the jobs the cluster knows, newest first."""
        found = [
            JobSummary(j["jid"], j["name"], j["state"], j["start-time"]) for j in self._get("/jobs/overview")["jobs"]
        ]
        return sorted(found, key=lambda job: job.start_ms, reverse=True)

    def free_slots(self) -> int:
        """Return how many slots no job has taken."""
        return int(self._get("/overview")["slots-available"])

    def job(self, name: str) -> JobSummary:
        """Return the newest job of that name that has not ended. Raises EchoPulseError where there is none."""
        alive = [job for job in self.jobs() if job.state not in ENDED]
        for job in alive:
            if job.name == name:
                return job
        names = {job.name for job in alive}
        hint = (
            did_you_mean(name, names)
            if names
            else "start it with `echopulse up` or `echopulse pipeline submit signals`"
        )
        raise EchoPulseError(f"no job '{name}' runs on {self.rest}", hint)

    def state(self, job_id: str) -> str:
        """Return the job's state, as Flink names it."""
        return str(self._get(f"/jobs/{job_id}")["state"])

    def wait_running(self, job_id: str, timeout_s: float) -> None:
        """Wait until all tasks of the job run. Raises EchoPulseError with the job's own failure, or when time is up."""
        self.wait(job_id, lambda: self._all_running(job_id), "its tasks to run", timeout_s)

    def wait(self, job_id: str, done: Callable[[], bool], what: str, timeout_s: float) -> None:
        """Poll until `done`; a job that has ended meanwhile, or the end of the time, is an EchoPulseError."""
        deadline = time.monotonic() + timeout_s
        while not done():
            state = self.state(job_id)
            if state in ENDED:
                raise EchoPulseError(f"job {job_id} is {state} while waiting for {what}: {self.failure(job_id)}")
            if time.monotonic() > deadline:
                raise EchoPulseError(
                    f"job {job_id} is {state} and {what} did not come within {timeout_s:.0f} s", f"see {self.rest}"
                )
            time.sleep(_POLL_S)

    def failure(self, job_id: str) -> str:
        """Return the first line of the job's root failure, or '' where it has none."""
        history = self._get(f"/jobs/{job_id}/exceptions").get("exceptionHistory", {}).get("entries", [])
        if not history:
            return ""
        lines = [line.strip() for line in history[0].get("stacktrace", "").splitlines() if line.strip()]
        causes = [line for line in lines if line.startswith("Caused by:")]
        return causes[-1] if causes else (lines[0] if lines else "")

    def restarts(self, job_id: str) -> int:
        """Return how often the job was restarted after a failure."""
        metrics = self._get(f"/jobs/{job_id}/metrics", get="numRestarts")
        return int(metrics[0]["value"]) if metrics else 0

    def parameters(self, job_id: str) -> dict[str, str]:
        """Return the job's global parameters: what whoever submitted it noted on it."""
        config = self._get(f"/jobs/{job_id}/config").get("execution-config", {})
        return {str(name): str(value) for name, value in config.get("user-config", {}).items()}

    def watermark_ms(self, job_id: str, vertex: Mapping[str, Any]) -> int | None:
        """Return the least watermark of a task's parallel instances in ms UTC, or None while one has none yet."""
        marks = [int(mark["value"]) for mark in self._get(f"/jobs/{job_id}/vertices/{vertex['id']}/watermarks")]
        return min(marks) if len(marks) >= vertex["parallelism"] and min(marks) > _NO_WATERMARK else None

    def vertices(self, job_id: str) -> list[dict[str, Any]]:
        """Return the job's tasks as Flink tells them: id, name, parallelism, status, metrics."""
        return list(self._get(f"/jobs/{job_id}")["vertices"])

    def checkpoint(self, job_id: str, timeout_s: float) -> None:
        """Take a checkpoint and wait until it is complete. Raises EchoPulseError when it fails or takes too long."""
        trigger = self._post(f"/jobs/{job_id}/checkpoints", {"checkpointType": "CONFIGURED"})["request-id"]
        self._wait_operation(job_id, f"/jobs/{job_id}/checkpoints/{trigger}", "a checkpoint", timeout_s)

    def stop(self, job_id: str, savepoint_folder: str, timeout_s: float) -> str:
        """Stop the job with a savepoint, without firing open windows; return where the savepoint is."""
        body = {"targetDirectory": savepoint_folder, "drain": False}
        trigger = self._post(f"/jobs/{job_id}/stop", body)["request-id"]
        return self._wait_operation(job_id, f"/jobs/{job_id}/savepoints/{trigger}", "a savepoint", timeout_s)

    def savepoint(self, job_id: str, folder: str, timeout_s: float) -> str:
        """Write a savepoint while the job goes on; return where it is."""
        trigger = self._post(f"/jobs/{job_id}/savepoints", {"target-directory": folder, "cancel-job": False})[
            "request-id"
        ]
        return self._wait_operation(job_id, f"/jobs/{job_id}/savepoints/{trigger}", "a savepoint", timeout_s)

    def cancel(self, job_id: str, timeout_s: float) -> None:
        """Cancel the job and wait until it has ended."""
        self._request("PATCH", f"/jobs/{job_id}", params={"mode": "cancel"})
        deadline = time.monotonic() + timeout_s
        while (state := self.state(job_id)) not in ENDED:
            if time.monotonic() > deadline:
                raise EchoPulseError(f"job {job_id} is still {state} {timeout_s:.0f} s after it was cancelled")
            time.sleep(_POLL_S)

    def _all_running(self, job_id: str) -> bool:
        return all(vertex["status"] in {"RUNNING", "FINISHED"} for vertex in self.vertices(job_id))

    def _wait_operation(self, job_id: str, path: str, what: str, timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._get(path)
            if answer["status"]["id"] == "COMPLETED":
                break
            if time.monotonic() > deadline:
                raise EchoPulseError(f"{what} of job {job_id} took longer than {timeout_s:.0f} s", f"see {self.rest}")
            time.sleep(_POLL_S / 4)
        outcome = answer.get("operation", {})
        if "failure-cause" in outcome:
            cause = outcome["failure-cause"].get("class", "unknown cause")
            raise EchoPulseError(f"{what} of job {job_id} failed: {cause}", f"see {self.rest}")
        return str(outcome.get("location", ""))

    def _get(self, path: str, **params: str) -> Any:  # noqa: ANN401 - JSON
        return self._request("GET", path, params=params).json()

    def _post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        return self._request("POST", path, json=body).json()

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        try:
            response = self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise EchoPulseError(
                f"the Flink cluster at {self.rest} does not answer: {error}", "is it up? see `echopulse status`"
            ) from error
        if response.is_error:
            raise EchoPulseError(f"the Flink cluster refused {method} {path}: {_first_line(response)}")
        return response


def _first_line(response: httpx.Response) -> str:
    try:
        errors = response.json().get("errors", [])
    except ValueError:
        errors = []
    text = str(errors[-1]) if errors else response.text
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("<Exception on server")]
    return lines[0] if lines else f"HTTP {response.status_code}"
