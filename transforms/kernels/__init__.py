"""Loops over Arrow string buffers, compiled once into a cache folder and loaded from there ever after."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def cache_folder() -> Path:
    """Return the folder for compiled kernels: in that of caches, one named by what they are compiled from.

    numba looks at a kernel's own file alone, and would load one that calls what has changed since. A process that
    another started finds the folder itself in NUMBA_CACHE_DIR.
    """
    folder = _caches()
    return folder if folder.name == SOURCES else folder / SOURCES


def _sources() -> str:
    """Digest the kernels and the modules whose constants they take."""
    here = Path(__file__).parent
    files = [*sorted(here.glob("*.py")), here.parent / "confusables.py", here.parent / "vocabulary.py"]
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files))
    return digest.hexdigest()[:12]


SOURCES = _sources()


def _caches() -> Path:
    """Return NUMBA_CACHE_DIR, else numba/ in ECHOPULSE_CACHE or ~/.cache/echopulse.

    Where that folder cannot be written (a container's user without a home), a folder of the temporary directory serves.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return Path(os.environ["NUMBA_CACHE_DIR"])
    cache = os.environ.get("ECHOPULSE_CACHE") or "~/.cache/echopulse"
    folder = Path(cache).expanduser() / "numba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir()) / f"echopulse-numba-{os.getuid()}"
    if os.access(folder, os.W_OK):
        return folder
    return Path(tempfile.gettempdir()) / f"echopulse-numba-{os.getuid()}"


# Set before numba is imported: it reads the variable once, at import.
os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())

import numba  # noqa: E402
from numba.core.caching import FunctionCache  # noqa: E402

# Another package may have imported numba before us.
numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]


#: Arrow's buffers are read-only; arrays that can be written pass for them too.
BYTES = numba.types.Array(numba.uint8, 1, "C", readonly=True)
OFFSETS = numba.types.Array(numba.int32, 1, "C", readonly=True)


def compiled(signature: Any = None) -> Callable[[Callable[P, R]], Callable[P, R]]:  # noqa: ANN401 - numba's signatures have no common type
    """Compile a loop for one signature, single-threaded and without the GIL; load it from the cache where it is there.

    Without a signature the function is for other kernels to call, and is compiled with them.
    """
    lazily: Callable[[Callable[P, R]], Callable[P, R]] = numba.njit(cache=True, nogil=True, error_model="numpy")
    if signature is None:
        return lazily
    at_once: Callable[[Callable[P, R]], Callable[P, R]] = numba.njit(
        signature, cache=True, nogil=True, error_model="numpy"
    )

    def decorate(loop: Callable[P, R]) -> Callable[P, R]:
        _tell_of_compiling(loop)
        return at_once(loop)

    return decorate


_told: set[str] = set()


def _tell_of_compiling(loop: Callable[..., object]) -> None:
    """Say on stderr, once a process, that compiling begins, where the cache lacks this loop or has an older one."""
    folder = Path(FunctionCache(loop).cache_path)  # type: ignore[no-untyped-call] # numba has few types
    line = _compiling(loop.__module__, loop.__qualname__)
    if line in _told:
        return
    source = Path(loop.__code__.co_filename)
    indices = list(folder.glob(f"{source.stem}.{loop.__qualname__}-*.nbi"))
    if not any(index.stat().st_mtime >= source.stat().st_mtime for index in indices):
        _told.add(line)
        sys.stderr.write(f"{line}, into {folder.parent}\n")


def _compiling(module: str, name: str) -> str:
    """Return what is compiled: the kernels all together, as they import each other, or a loop from elsewhere."""
    if module.startswith(f"{__name__}."):
        return "compiling the kernels once, about a minute"
    return f"compiling {module}.{name} once, some seconds"
