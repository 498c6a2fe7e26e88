"""Compile all kernels into the cache folder: `python -m transforms.warm`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time

from transforms import kernels


def warm() -> int:
    """Import every kernel, which compiles what the cache lacks; return how many modules there are."""
    modules = list(pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."))
    for module in modules:
        importlib.import_module(module.name)
    return len(modules)


if __name__ == "__main__":
    begun = time.perf_counter()
    count = warm()
    sys.stderr.write(f"{count} kernel modules in {kernels.cache_folder()}, {time.perf_counter() - begun:.1f} s\n")
