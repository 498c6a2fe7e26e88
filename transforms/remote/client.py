"""Questions to an HTTP service, many at once: a pool of connections, a time limit, retries, a circuit breaker."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx
import stamina
from pydantic import BaseModel, ConfigDict, Field

from transforms.remote.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Answers that say nothing about the service's health: this one question was not to its liking.
_OWN_FAULT = frozenset({400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422})
_TOO_MANY, _UNAVAILABLE = 429, 503
_PASSING = frozenset({408, 425, _TOO_MANY, 500, 502, _UNAVAILABLE, 504})


class Limits(BaseModel):
    """How far the client goes. Times are in seconds.

    `timeout_s` bounds each attempt from connecting to the last byte, `attempts` and `patience_s` all of one question,
    waits between attempts included; `batch_s` all questions of one call. `in_flight` attempts go on at once, at most.
    The breaker opens after `breaker_failures` attempts in a row went wrong, for `breaker_open_s`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_s: float = Field(2.0, gt=0, le=60)
    attempts: int = Field(3, ge=1, le=10)
    patience_s: float = Field(5.0, gt=0, le=60)
    batch_s: float = Field(60.0, gt=0, le=120)
    in_flight: int = Field(16, ge=1, le=256)
    breaker_failures: int = Field(5, ge=1)
    breaker_open_s: float = Field(10.0, gt=0)


@dataclass(frozen=True)
class Answer:
    """What a question came to: the value read from the answer, or, where there is none, the reason in a word or two."""

    value: Any = None
    reason: str = ""


class AskError(Exception):
    """An attempt that gave no value; `reason` is short and stays the same for the same fault."""

    def __init__(self, reason: str, *, passing: bool, healthy: bool = False, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.passing, self.healthy, self.wait_s = reason, passing, healthy, wait_s


class Client:
    """Asks one service. Not for several threads: a worker has its own."""

    def __init__(self, url: str, limits: Limits, *, params: dict[str, str] | None = None) -> None:
        # At its level INFO httpx writes every address, with the key in it, to the log.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._url = url
        self._limits = limits
        self.breaker = Breaker(limits.breaker_failures, limits.breaker_open_s)
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(
            params=params or {},
            timeout=limits.timeout_s,
            limits=httpx.Limits(max_connections=limits.in_flight, max_keepalive_connections=limits.in_flight),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._runner.run(self._http.aclose())
        self._runner.close()

    def ask(self, bodies: Sequence[object], read: Callable[[Any], Any]) -> list[Answer]:
        """POST each body as JSON and read a value from each JSON answer, in order; raises nothing of the network.

        `read` raises KeyError, IndexError, TypeError or ValueError for an answer that does not have the value; anything
        else that it raises is raised here.
        """
        return self._runner.run(self._ask_all(bodies, read))

    async def _ask_all(self, bodies: Sequence[object], read: Callable[[Any], Any]) -> list[Answer]:
        answers = [Answer(reason="batch_time") for _ in bodies]
        places = iter(range(len(bodies)))

        async def ask_in_turn() -> None:
            # Each of these takes the next body as soon as it is through with one: so many are in flight, and no more.
            for place in places:
                answers[place] = await self._ask_one(bodies[place], read)

        try:
            async with asyncio.timeout(self._limits.batch_s), asyncio.TaskGroup() as group:
                for _ in range(min(self._limits.in_flight, len(bodies))):
                    group.create_task(ask_in_turn())
        except ExceptionGroup as failed:
            # An error of `read` itself, which is a fault of the strategy.
            raise failed.exceptions[0] from failed
        except TimeoutError:
            pass  # those that were not asked, or not answered, keep their reason
        return answers

    async def _ask_one(self, body: object, read: Callable[[Any], Any]) -> Answer:
        limits = self._limits
        deadline = time.monotonic() + limits.patience_s

        def again(error: Exception) -> bool | float:
            if not isinstance(error, AskError) or not error.passing or self.breaker.state == "open":
                return False
            if error.wait_s is None:
                return True
            # Stamina takes a wait of 0 for "no".
            return max(error.wait_s, 0.001) if time.monotonic() + error.wait_s < deadline else False

        try:
            async for attempt in stamina.retry_context(
                on=again, attempts=limits.attempts, timeout=limits.patience_s, wait_initial=0.1, wait_max=1.0
            ):
                with attempt:
                    return Answer(await self._attempt(body, read, min(limits.timeout_s, deadline - time.monotonic())))
        except AskError as error:
            return Answer(reason=error.reason)
        return Answer(reason="no_attempt")

    async def _attempt(self, body: object, read: Callable[[Any], Any], timeout_s: float) -> Any:  # noqa: ANN401
        if not self.breaker.admits():
            raise AskError("breaker_open", passing=False)
        try:
            value = read(await self._post(body, timeout_s))
        except (KeyError, IndexError, TypeError, ValueError, RecursionError):
            self.breaker.failed()
            raise AskError("unreadable", passing=False) from None
        except AskError as error:
            self.breaker.succeeded() if error.healthy else self.breaker.failed()
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        self.breaker.succeeded()
        return value

    async def _post(self, body: object, timeout_s: float) -> Any:  # noqa: ANN401 - whatever JSON there is
        try:
            # httpx limits each read; a server that sends a byte now and then would hold on for ever.
            async with asyncio.timeout(timeout_s):
                response = await self._http.post(self._url, json=body)
        except (TimeoutError, httpx.TimeoutException):
            raise AskError("timeout", passing=True) from None
        except httpx.RequestError as error:
            raise AskError("refused" if isinstance(error, httpx.ConnectError) else "broken", passing=True) from error
        status = response.status_code
        if response.is_success:
            return response.json()
        raise AskError(
            f"http_{status}",
            passing=status in _PASSING,
            healthy=status in _OWN_FAULT,
            wait_s=_retry_after(response) if status in {_TOO_MANY, _UNAVAILABLE} else None,
        )


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that the answer asks to wait, None where it does not (RFC 9110, 10.2.3)."""
    told = response.headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None
