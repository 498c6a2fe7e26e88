"""Check a commit message against Conventional Commits 1.0: `type(scope)!: what it does`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TYPES = ("feat", "fix", "perf", "refactor", "docs", "test", "build", "ci", "chore", "style", "revert")
LONGEST = 120
_HEADER = re.compile(rf"(?:{'|'.join(TYPES)})(?:\([a-z0-9][a-z0-9 ,/_.-]*\))?!?: \S.*")


def complaint(message: str) -> str:
    """Return what is wrong with a commit message in one line, or ''. Git's own merges and fix-ups pass."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    header = lines[0] if lines else ""
    if header.startswith(("Merge ", 'Revert "', "fixup! ", "squash! ")):
        return ""
    if not _HEADER.fullmatch(header):
        return f"'{header}' is not 'type(scope): what it does' (types: {', '.join(TYPES)})"
    if len(header) > LONGEST:
        return f"the first line has {len(header)} characters, {LONGEST} are allowed"
    if len(lines) > 1 and lines[1].strip():
        return "an empty line is missing after the first"
    return ""


if __name__ == "__main__":
    wrong = complaint(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if wrong:
        sys.exit(f"commit message: {wrong}")
