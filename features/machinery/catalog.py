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
from features.machinery.view_spec import CompiledView, ViewSpec
from schemas.errors import EchoPulseError

REPO = Path("features")
CACHE = Path(".echopulse")
_COMPILED, _DECLARED = "compiled_views", "declared_views"
_TIMEOUT_S = 180
_ROOT = Path(__file__).resolve().parents[2]
_VIEWS = TypeAdapter(list[CompiledView])
_SPECS = TypeAdapter(list[ViewSpec])


def compiled_views(repo: Path = REPO, cache: Path = CACHE) -> list[CompiledView]:
    """Return the repository's stream feature views, compiled; from `cache` where nothing has changed since.

    Raises EchoPulseError for a view that cannot be compiled or declarations that cannot be loaded.
    """
    check_repo(repo)
    kept = _kept(repo, cache)
    if kept.is_file():
        return _VIEWS.validate_json(kept.read_bytes())
    return _compile_elsewhere(repo, cache)[0]


def declared_views(repo: Path = REPO, cache: Path = CACHE) -> list[ViewSpec]:
    """Return the same views as they are declared, for who compiles them otherwise. Raises as `compiled_views`."""
    check_repo(repo)
    kept = _kept(repo, cache, _DECLARED)
    if kept.is_file():
        return _SPECS.validate_json(kept.read_bytes())
    return _compile_elsewhere(repo, cache)[1]


def keep(views: list[CompiledView], specs: list[ViewSpec], repo: Path = REPO, cache: Path = CACHE) -> None:
    """Keep views, compiled and as declared; whole or not at all, so that a reader never meets half a file."""
    _write(_kept(repo, cache), _VIEWS.dump_json(views))
    _write(_kept(repo, cache, _DECLARED), _SPECS.dump_json(specs))


def _compile_elsewhere(repo: Path, cache: Path) -> tuple[list[CompiledView], list[ViewSpec]]:
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
    views, specs = _VIEWS.validate_python(answer["views"]), _SPECS.validate_python(answer["declared"])
    keep(views, specs, repo, cache)
    return views, specs


def _kept(repo: Path, cache: Path, folder: str = _COMPILED) -> Path:
    """Name the file for the present state of declarations and compiler."""
    digest = hashlib.sha256(importlib.metadata.version("feast").encode())
    folders = (repo, Path(__file__).parent, _ROOT / "schemas")
    for file in sorted(
        {file.resolve() for folder in folders for file in folder.glob("*.py")} | {(repo / ".feastignore").resolve()}
    ):
        digest.update(file.name.encode() + b"\0" + (file.read_bytes() if file.is_file() else b"") + b"\0")
    return cache / folder / f"{digest.hexdigest()[:32]}.json"


def _write(kept: Path, document: bytes) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(document)
    part.replace(kept)


def _answer(repo: Path) -> dict[str, object]:
    from features.machinery.older_versions import view_specs, with_older_versions  # noqa: PLC0415 as Feast
    from features.machinery.store import has_registry, open_store  # noqa: PLC0415 as above

    try:
        declared = declarations(repo)
        older = with_older_versions(declared, open_store(repo)) if has_registry(repo) else []
        specs = view_specs(declared, older)
        return {
            "views": _VIEWS.dump_python(compile_views(specs), mode="json"),
            "declared": _SPECS.dump_python(specs, mode="json"),
        }
    except EchoPulseError as error:
        return {"error": error.message, "hint": error.hint}


if __name__ == "__main__":
    sys.stdout.write("\n" + orjson.dumps(_answer(Path(sys.argv[1]))).decode() + "\n")
