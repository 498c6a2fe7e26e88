"""The options that every command takes: `--json` and `--config FILE`.

A command takes them as its last keyword argument and reads its settings through them:

    from echopulse.cli.context import NO_OPTIONS, GlobalOptions
    from echopulse.cli.output import emit

    app = App(name="ingest", help="...")          # the name must be the one registered in echopulse.cli.main

    @app.command
    def replay(file: Path, *, rate: int = 0, options: GlobalOptions = NO_OPTIONS) -> None:
        settings = options.settings()             # raises EchoPulseError, which the command line prints as one line
        ...
        emit({"events": n}, options.json, f"{n} events")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from echopulse.settings import Settings

_GROUP = Group("Global options", sort_key=1_000)


@Parameter(name="*")
@dataclass(frozen=True)
class GlobalOptions:
    """`--json` and `--config`, as the person wrote them."""

    json: Annotated[bool, Parameter(negative=(), group=_GROUP, show_default=False)] = False
    """Print one JSON document on stdout; progress goes to stderr."""

    config: Annotated[Path | None, Parameter(group=_GROUP)] = None
    """Settings file; without it, echopulse.yaml in the current folder where there is one."""

    def settings(self) -> Settings:
        """Load the settings that these options name. Raises EchoPulseError for a bad file, key or value."""
        from echopulse.settings import load

        return load(self.config)


#: The default of a command's `options` argument.
NO_OPTIONS = GlobalOptions()
