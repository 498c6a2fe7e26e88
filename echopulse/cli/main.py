"""The `echopulse` command: which commands there are, and how each ends.

Commands are named by import path and imported when called, so that `--help` answers at once. Exit codes: 0 done,
1 failed, 2 wrong usage, 130 interrupted. Every failure is one line on stderr.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from cyclopts import App, CycloptsError, UnknownCommandError, UnusedCliTokensError

from echopulse.cli.interrupt import hear_interrupts
from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, FAILED, WRONG_USAGE, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141


class Command(NamedTuple):
    """One command: its name, where its App or function is, and its line in `--help`."""

    name: str
    target: str
    help: str


#: In the order of `--help`: first what a newcomer meets.
COMMANDS = (
    Command("ingest", "echopulse.cli.ingest:app", "Bring events in: a file, a simulator, a websocket, a stream."),
    Command("pipeline", "echopulse.cli.pipeline:app", "Run, submit or explain the Flink job."),
    Command("feature", "echopulse.cli.feature:app", "Apply the feature declarations and read features."),
    Command("registry", "echopulse.cli.registry:app", "Models by their digests: judge, promote, roll back, serve."),
    Command("completion", "echopulse.cli.completion:app", "Print the completion script of a shell."),
    Command("up", "echopulse.cli.up:up", "Start the embedded stack and the whole job."),
    Command("run", "echopulse.cli.run:run", "Start everything on simulated chat and show it live."),
    Command("down", "echopulse.cli.stack:down", "Stop what up started."),
    Command("status", "echopulse.cli.stack:status", "Say what is running, and where."),
    Command("train", "echopulse.cli.train:train", "Train the models."),
    Command("tune", "echopulse.cli.tune:tune", "Search for the recipe of a better model."),
    Command("evaluate", "echopulse.cli.evaluate:evaluate", "Score a model on labelled data."),
    Command("score", "echopulse.cli.score:score", "Say what the models say of a text."),
    Command("drift", "echopulse.cli.drift:app", "Watch texts and scores for drift."),
    Command("dlq", "echopulse.cli.dlq:app", "Look at dead letters and replay them."),
)

_EPILOGUE = (
    "Every command takes --json and --config FILE. Settings: echopulse.yaml, overridden by ECHOPULSE_* variables."
)


def build() -> App:
    """Return the command line with all commands registered and none imported."""
    app = App(
        name="echopulse",
        help="Live signals and features out of social chat.",
        help_epilogue=_EPILOGUE,
        help_format="plaintext",  # Markdown would load a parser of 0.15 s
        version=_version,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for place, command in enumerate(COMMANDS):
        app.command(command.target, name=command.name, help=command.help, sort_key=place)
    return app


def _version() -> str:
    return importlib.metadata.version("echopulse")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (default: the process's own arguments) and return its exit code."""
    hear_interrupts()
    tokens = _options_last(sys.argv[1:] if arguments is None else list(arguments))
    try:
        command, bound, _ = build().parse_args(tokens, print_error=False, exit_on_error=False)
        if not isinstance(getattr(command, "__self__", None), App):  # --help and --version are cyclopts' own
            # Unconfigured, structlog writes to stdout: a retry deep in a library would spoil a command's JSON document.
            from echopulse import telemetry

            telemetry.configure()
        command(*bound.args, **bound.kwargs)
    except BrokenPipeError:
        # The reader (`| head`) has gone; without this Python complains once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 the last line of defence: told in a line, kept in a file
        code, message = _ending(error)
        sys.stderr.write(f"echopulse: {' '.join(message.split())}\n")
        return code
    return DONE


def _ending(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the line for what ended the command."""
    match error:
        case UnknownCommandError():
            return WRONG_USAGE, _unknown_command(error)
        case UnusedCliTokensError():
            return WRONG_USAGE, f"unexpected argument '{(error.unused_tokens or ['?'])[0]}'"
        case CycloptsError() | UsageError():
            return WRONG_USAGE, str(error)
        case EchoPulseError():
            return FAILED, str(error)
        case KeyboardInterrupt():
            return INTERRUPTED, "interrupted"
    from echopulse.cli.crash import keep_traceback

    return FAILED, f"unexpected {type(error).__name__}: {error} (the traceback is in {keep_traceback(error)})"


def _unknown_command(error: UnknownCommandError) -> str:
    """Tell an unknown command by registered names alone: cyclopts' own text imports every command."""
    token = (error.unused_tokens or [""])[0]
    if error.app is None or error.app.name[0] != "echopulse":
        return str(error)
    return f"unknown command '{token}' ({did_you_mean(token, [command.name for command in COMMANDS])})"


def _options_last(tokens: list[str]) -> list[str]:
    """Move `--json` and `--config FILE` from before the command to behind it, where commands take them."""
    leading = 0
    while leading < len(tokens) and tokens[leading].partition("=")[0] in {"--json", "--config"}:
        leading += 2 if tokens[leading] == "--config" else 1
    options, rest = tokens[:leading], tokens[leading:]
    end = rest.index("--") if "--" in rest else len(rest)
    return rest[:end] + options + rest[end:] if rest else tokens


if __name__ == "__main__":
    sys.exit(main())
