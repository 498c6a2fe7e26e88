"""MLflow by its REST API: any server of it, without its client, whose dependencies are not ours."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

import httpx

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator

_API = "/api/2.0/mlflow/"
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
_CONNECT_S, _ANSWER_S, _UPLOAD_S = 3.0, 30.0, 300.0
#: How often a connection that was refused or broke before anything was sent is tried again.
_RETRIES = 2
_PAGE = 500
_CHUNK = 1 << 16
_SERVER_ERROR = 500


class MlflowAwayError(EchoPulseError):
    """The server cannot be reached, or fails: another time the same call may go through."""


class MlflowRefusedError(EchoPulseError):
    """The server refuses the call; `code` is its own word for why (RESOURCE_ALREADY_EXISTS, …)."""

    def __init__(self, message: str, code: str, hint: str = "") -> None:
        """Keep the code."""
        super().__init__(message, hint)
        self.code = code


class MlflowServer:
    """A server at a URI. Every call has a time limit; raises MlflowAwayError and MlflowRefusedError."""

    def __init__(self, uri: str, token: str = "", hint: str = "") -> None:
        """Connect to nothing yet; `hint` says what to look at where it is away."""
        self.uri = uri.rstrip("/")
        self._hint = hint
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=self.uri,
            headers=headers,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            transport=httpx.HTTPTransport(retries=_RETRIES),
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def get(self, endpoint: str, **parameters: object) -> dict[str, Any]:
        """Call an endpoint that reads, e.g. `runs/get`."""
        return self._json(self._call("GET", _API + endpoint, params=parameters))

    def post(self, endpoint: str, **fields: object) -> dict[str, Any]:
        """Call an endpoint that writes, or searches."""
        return self._json(self._call("POST", _API + endpoint, json=plain(fields)))

    def patch(self, endpoint: str, **fields: object) -> dict[str, Any]:
        """Call an endpoint that changes what is there."""
        return self._json(self._call("PATCH", _API + endpoint, json=plain(fields)))

    def delete(self, endpoint: str, **fields: object) -> None:
        """Call an endpoint that removes."""
        self._call("DELETE", _API + endpoint, json=plain(fields))

    def pages(self, endpoint: str, key: str, **parameters: object) -> Iterator[dict[str, Any]]:
        """Yield the entries `key` of all pages of a search by GET."""
        page = ""
        while True:
            told = self.get(endpoint, **parameters, max_results=_PAGE, **({"page_token": page} if page else {}))
            yield from told.get(key, [])
            page = told.get("next_page_token", "")
            if not page:
                return

    def upload(self, folder: str, name: str, content: bytes | Path) -> None:
        """Put a file below an artifact folder's URI."""
        path = _artifact(self.uri, folder) + quote(f"/{name}")
        timeout = httpx.Timeout(_UPLOAD_S, connect=_CONNECT_S)
        if isinstance(content, Path):
            with content.open("rb") as file:
                self._call("PUT", path, content=iter(lambda: file.read(_CHUNK), b""), timeout=timeout)
        else:
            self._call("PUT", path, content=content, timeout=timeout)

    def download(self, folder: str, name: str, target: Path) -> None:
        """Fetch a file below an artifact folder's URI."""
        path = _artifact(self.uri, folder) + quote(f"/{name}")
        try:
            with self._client.stream("GET", path) as answer, target.open("wb") as file:
                if answer.is_error:
                    answer.read()
                _check(answer, self.uri)
                for part in answer.iter_bytes(_CHUNK):
                    file.write(part)
        except httpx.HTTPError as error:
            raise self._away(error) from error

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise self._away(error) from error
        _check(answer, self.uri)
        return answer

    def _away(self, error: httpx.HTTPError) -> MlflowAwayError:
        return MlflowAwayError(f"MLflow at {self.uri} is away: {str(error) or type(error).__name__}", self._hint)

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            document = answer.json()
        except ValueError as error:
            raise MlflowAwayError(f"{self.uri} answers, but not as MLflow does", "tracking.uri names it") from error
        return document if isinstance(document, dict) else {}


def plain(value: object) -> object:
    """Return a value as JSON can say it; numbers that are not finite become the words that protobuf reads."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _check(answer: httpx.Response, uri: str) -> None:
    if not answer.is_error:
        return
    try:
        told = answer.json()
        code, message = told["error_code"], str(told["message"])
    except (ValueError, KeyError, TypeError):
        code, message = f"HTTP {answer.status_code}", answer.reason_phrase
    message = " ".join(message.split())[:300]
    if answer.status_code >= _SERVER_ERROR:
        raise MlflowAwayError(f"MLflow at {uri} fails: {message}")
    raise MlflowRefusedError(f"MLflow at {uri} refuses: {message}", code)


def _artifact(uri: str, folder: str) -> str:
    """Return the path under which the server passes on an artifact; raises where it does not keep them itself."""
    parts = urlsplit(folder)
    if parts.scheme != "mlflow-artifacts":
        raise MlflowRefusedError(
            f"MLflow at {uri} keeps artifacts at {folder}, not behind its own address",
            "NO_PROXY",
            "start it with --serve-artifacts and --artifacts-destination",
        )
    return _ARTIFACTS + quote(parts.path.strip("/"))
