"""Client libraries of platforms and of the second bus are extras: where one is missing, the error names the extra."""

from __future__ import annotations

from importlib.util import find_spec

from schemas.errors import EchoPulseError


def require(module: str, extra: str, needed_by: str = "") -> None:
    """Raise EchoPulseError where the library of a connector, or of `needed_by`, is missing; imports nothing."""
    if find_spec(module) is None:
        named = needed_by or f"connector '{extra}'"
        raise EchoPulseError(
            f"{named} needs the library {module}, which is not installed",
            f"install the extra: uv sync --extra {extra}, or pip install 'echopulse[{extra}]'",
        )
