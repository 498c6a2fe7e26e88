"""Refuse package registries' host names in the project: whoever builds it chooses the index, the mirror, the proxy.

Without arguments all tracked files are read, else the files named. Exits 1 and names file and line of each finding.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent

#: In parts, so that this file does not contain what it looks for.
HOSTS = tuple(
    ".".join(parts).encode()
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("anaconda", "org"),
        ("docker", "io"),
        ("docker", "com"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("gcr", "io"),
        ("proxy", "golang", "org"),
    )
)


def tracked() -> list[Path]:
    """Return every file that git tracks or would track, ignored ones aside."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return [ROOT / name.decode() for name in names.split(b"\0") if name]


def findings(files: Iterable[Path]) -> Iterator[str]:
    """Yield `file:line: host` for every host name found; a file that is gone is passed over."""
    for file in files:
        content = file.read_bytes() if file.is_file() else b""
        for host in HOSTS:
            for number, line in enumerate(content.split(b"\n") if host in content else [], start=1):
                if host in line:
                    yield f"{file}:{number}: {host.decode()}"


if __name__ == "__main__":
    found = list(findings(map(Path, sys.argv[1:]) if sys.argv[1:] else tracked()))
    sys.stderr.writelines(f"{line}: a registry's host name\n" for line in found)
    sys.exit(bool(found))
