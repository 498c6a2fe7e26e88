"""Draw live_table.svg from live_table.json, the outcome of a real run, with the code that draws it in the terminal.

Record the outcome anew with `echopulse run --seconds 45 --json > docs/images/live_table.json`, then run this file.
"""  # noqa: INP001 - a script that stands alone

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from echopulse.cli.live_table import channel_table, headline

FOLDER = Path(__file__).parent
_WIDTH = 104
#: The export would fetch its font from a third party whenever the picture is looked at.
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def draw(outcome: dict[str, Any]) -> str:
    """Return the table of one moment as SVG."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text(headline(outcome)), channel_table(outcome["channels"]))
    return _FONT.sub("", console.export_svg(title="make run", unique_id="live"))


if __name__ == "__main__":
    recorded = json.loads((FOLDER / "live_table.json").read_text(encoding="utf-8"))
    (FOLDER / "live_table.svg").write_text(draw(recorded), encoding="utf-8")
