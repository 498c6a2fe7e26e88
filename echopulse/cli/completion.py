"""`echopulse completion bash|zsh|fish`: the script that completes commands and options in a shell."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit

app = App(name="completion", help="Print the completion script of a shell.")


def script(shell: Literal["bash", "zsh", "fish"]) -> str:
    """Return the completion script of the whole command line for one shell."""
    from echopulse.cli.main import build

    return build().generate_completion(prog_name="echopulse", shell=shell)


@app.command
def bash(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Print the script for bash.

    Use it at once with `source <(echopulse completion bash)`, or keep it:
    `echopulse completion bash > ~/.local/share/bash-completion/completions/echopulse`.
    """
    text = script("bash")
    emit({"shell": "bash", "script": text}, options.json, text)


@app.command
def zsh(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Print the script for zsh.

    Keep it in a folder of your `fpath`: `echopulse completion zsh > ~/.zfunc/_echopulse`.
    """
    text = script("zsh")
    emit({"shell": "zsh", "script": text}, options.json, text)


@app.command
def fish(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Print the script for fish.

    Keep it: `echopulse completion fish > ~/.config/fish/completions/echopulse.fish`.
    """
    text = script("fish")
    emit({"shell": "fish", "script": text}, options.json, text)
