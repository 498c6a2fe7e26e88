"""The locked Java compiler for a test that compiles into a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.settings import Settings
from echopulse.stack import stack_settings

if TYPE_CHECKING:
    from pathlib import Path


def link_compiler(folder: Path) -> Path:
    """Put the compiler into a folder of jars, where the user's cache has it, and return that folder."""
    for jar in stack_settings(Settings()).jars.glob("ecj-*.jar"):
        (folder / jar.name).symlink_to(jar)
    return folder
