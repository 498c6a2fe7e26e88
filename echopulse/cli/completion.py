"""`echopulse completion bash|zsh|fish`: the script that completes commands and options in a shell."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit

#: cyclopts writes a function alone. With this a file `_echopulse` of the fpath completes from the first tab on, and
#: sourcing the script registers it; inside an autoloaded file the function's own name is on top of the stack.
_ZSH_END = """\
if [[ "${funcstack[1]}" == _echopulse ]]; then
  _echopulse "$@"
else
  compdef _echopulse echopulse
fi
"""

app = App(name="completion", help="Print the completion script of a shell.")


def script(shell: Literal["bash", "zsh", "fish"]) -> str:
    """Return the completion script of the whole command line for one shell."""
    from echopulse.cli.main import build

    text = build().generate_completion(prog_name="echopulse", shell=shell)
    return text if shell != "zsh" else text.replace("_cyclopts_echopulse", "_echopulse") + _ZSH_END


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

    Use it at once with `source <(echopulse completion zsh)` (after compinit), or keep it in a folder of your fpath:
    `echopulse completion zsh > ~/.zfunc/_echopulse`.
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
