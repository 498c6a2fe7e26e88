"""Take the registry's addresses out of uv.lock: `index.invalid` for the index, `files.invalid` for the files.

Names, versions and digests stay; infra/bootstrap says why, and how it installs from such a lock.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_INDEX = re.compile(r'registry = "https?://[^"]+"')
#: A file's address up to its name: folders differ between mirrors and say nothing, the digest is what counts.
_FILE = re.compile(r'url = "https?://[^"]+/([^/"]+)"')


def neutralise(lock: str) -> str:
    """Return the text of a lock without any registry's host."""
    lock = _INDEX.sub('registry = "https://index.invalid/simple"', lock)
    return _FILE.sub(r'url = "https://files.invalid/\1"', lock)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(neutralise(file.read_text(encoding="utf-8")), encoding="utf-8")
