"""The client libraries of platforms are extras: where one is not installed, the error names the extra."""

from __future__ import annotations

from importlib.util import find_spec

from schemas.errors import EchoPulseError


def require(module: str, extra: str) -> None:
    """Raise EchoPulseError where a connector's library is not installed; imports nothing."""
    if find_spec(module) is None:
        raise EchoPulseError(
            f"connector '{extra}' needs the library {module}, which is not installed",
            f"install the extra: uv sync --extra {extra}, or pip install 'echopulse[{extra}]'",
        )
