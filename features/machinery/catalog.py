"""The compiled views of a Feast repository, for processes that must not import Feast (some nine seconds of CPU).

They are compiled in a process of their own and kept in a folder, under a digest of all that they depend on: the
declarations, the compiler and Feast's version. Compiled views are plain data; a job pickles them to its workers.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import orjson
from pydantic import TypeAdapter

from features.machinery.compiler import compile_views
from features.machinery.feast_repo import check_repo, declarations
from features.machinery.from_feast import from_feast
from features.machinery.view_spec import CompiledView
from schemas.errors import EchoPulseError

REPO = Path("features")
CACHE = Path(".echopulse")
_TIMEOUT_S = 180
_ROOT = Path(__file__).resolve().parents[2]
_VIEWS = TypeAdapter(list[CompiledView])


def compiled_views(repo: Path = REPO, cache: Path = CACHE) -> list[CompiledView]:
    """Return the repository's stream feature views, compiled; from `cache` where nothing has changed since.

    Raises EchoPulseError for a view that cannot be compiled or declarations that cannot be loaded.
    """
    check_repo(repo)
    kept = _kept(repo, cache)
    if kept.is_file():
        return _VIEWS.validate_json(kept.read_bytes())
    return _compile_elsewhere(repo, kept)


def compile_repo(repo: Path) -> list[CompiledView]:
    """Compile a repository's views, and older versions that stand, in this process, which imports Feast.

    Raises as `compiled_views`.
    """
    from features.machinery.older_versions import with_older_versions  # noqa: PLC0415 as Feast, below
    from features.machinery.store import has_registry, open_store  # noqa: PLC0415 as above

    declared = declarations(repo)
    if has_registry(repo):
        with_older_versions(declared, open_store(repo))
    return compile_views(from_feast(view) for view in declared.stream_feature_views)


def keep(views: list[CompiledView], repo: Path = REPO, cache: Path = CACHE) -> None:
    """Keep compiled views for `compiled_views`; whole or not at all, so that a reader never meets half a file."""
    _write(_kept(repo, cache), _VIEWS.dump_json(views))


def _compile_elsewhere(repo: Path, kept: Path) -> list[CompiledView]:
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(repo)],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        answer = orjson.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    except subprocess.TimeoutExpired as error:
        raise EchoPulseError(f"{repo}: its views did not compile within {_TIMEOUT_S} s") from error
    except orjson.JSONDecodeError:
        answer = {}
    if "error" in answer:
        raise EchoPulseError(answer["error"], answer["hint"])
    if "views" not in answer:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise EchoPulseError(f"{repo}: compiling its views ended with status {done.returncode}: {' '.join(tail)}")
    views = _VIEWS.validate_python(answer["views"])
    _write(kept, _VIEWS.dump_json(views))
    return views


def _kept(repo: Path, cache: Path) -> Path:
    """Name the file for the present state of declarations and compiler."""
    digest = hashlib.sha256(importlib.metadata.version("feast").encode())
    folders = (repo, Path(__file__).parent, _ROOT / "schemas")
    for file in sorted(
        {file.resolve() for folder in folders for file in folder.glob("*.py")} | {(repo / ".feastignore").resolve()}
    ):
        digest.update(file.name.encode() + b"\0" + (file.read_bytes() if file.is_file() else b"") + b"\0")
    return cache / "compiled_views" / f"{digest.hexdigest()[:32]}.json"


def _write(kept: Path, document: bytes) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(document)
    part.replace(kept)


def _answer(repo: Path) -> dict[str, object]:
    try:
        return {"views": _VIEWS.dump_python(compile_repo(repo), mode="json")}
    except EchoPulseError as error:
        return {"error": error.message, "hint": error.hint}


if __name__ == "__main__":
    sys.stdout.write("\n" + orjson.dumps(_answer(Path(sys.argv[1]))).decode() + "\n")
