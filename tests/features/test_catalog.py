"""The catalog of compiled views: cached under what it depends on, and free of Feast."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from features.machinery.catalog import compiled_views, declared_views, keep
from features.machinery.compiler import compile_views
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from features.machinery.view_spec import ViewSpec


@pytest.fixture
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the project's declarations."""
    folder = tmp_path / "features"
    shutil.copytree(
        request.config.rootpath / "features", folder, ignore=shutil.ignore_patterns("machinery", "__pycache__")
    )
    return folder


def test_what_was_kept_is_given_until_a_declaration_changes(
    repo: Path, tmp_path: Path, declared: dict[str, ViewSpec]
) -> None:
    """A changed byte of a declaration is another digest; then the views are compiled again."""
    views = compile_views(declared.values())
    keep(views[:1], list(declared.values())[:1], repo, tmp_path)
    assert compiled_views(repo, tmp_path) == views[:1]
    assert declared_views(repo, tmp_path) == list(declared.values())[:1]
    with (repo / "views.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    again = compiled_views(repo, tmp_path)
    assert {view.name: view for view in again} == {view.name: view for view in views}
    assert {view.name: view for view in declared_views(repo, tmp_path)} == declared


def test_a_folder_that_is_no_repository_is_told(tmp_path: Path) -> None:
    """Before a process is started for it."""
    with pytest.raises(EchoPulseError, match=r"no feature_store\.yaml"):
        compiled_views(tmp_path, tmp_path)


def test_the_worker_s_modules_do_not_import_feast() -> None:
    """Importing Feast costs seconds in every worker."""
    modules = ("catalog", "compiler", "online_writer", "reader", "feast_repo", "from_feast")
    imports = "; ".join(f"import features.machinery.{name}" for name in modules)
    check = f"{imports}; import sys; print(sorted({{'feast', 'pandas', 'pyflink'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
