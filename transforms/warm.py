"""Compile all kernels into the cache folder: `python -m transforms.warm [MODULE …]`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from typing import TYPE_CHECKING

from transforms import kernels

if TYPE_CHECKING:
    from collections.abc import Sequence


def warm(others: Sequence[str]) -> int:
    """Import every kernel, which compiles what the cache lacks, and `others`; return how many modules there are."""
    names = [module.name for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}.")]
    for name in (*names, *others):
        importlib.import_module(name)
    return len(names) + len(others)


if __name__ == "__main__":
    begun = time.perf_counter()
    count = warm(sys.argv[1:])
    sys.stderr.write(f"{count} kernel modules in {kernels.cache_folder()}, {time.perf_counter() - begun:.1f} s\n")
