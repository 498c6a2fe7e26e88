"""Resolves the roots in jars.toml anew and writes all jars with digests: `python -m echopulse.stack.lock_jars`."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from jgo.maven import PythonResolver

from echopulse.stack.fetch import maven_context
from echopulse.stack.jars import LOCK, Jar, JarGroup, read_lock

if TYPE_CHECKING:
    from jgo.maven import Dependency

_SCOPES = ("compile", "runtime")
_PARALLEL_DOWNLOADS = 6


def resolve(group: JarGroup, repository: Path) -> JarGroup:
    """Return the group with its locked list made anew: roots, and what they need at run time where `transitive`."""
    context = maven_context(repository, PythonResolver())
    found: dict[str, Dependency] = {}
    # One root at a time, the first one's versions win: resolved together, one root's managed versions overrule
    # another's dependencies (log4j's parent turns kafka-clients 4.2.0 into 3.9.1).
    for root in map(context.create_dependency, group.roots):
        needed = context.resolver.resolve([root])[1] if group.transitive else []
        for dependency in (root, *(each for each in needed if each.scope in _SCOPES)):
            found.setdefault(_project(dependency), dependency)
    kept = [dependency for project, dependency in found.items() if project not in group.exclude]
    with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        jars = sorted(pool.map(_locked, kept), key=lambda jar: jar.coordinate)
    return JarGroup(group.name, group.roots, group.transitive, group.exclude, tuple(jars))


def render(groups: list[JarGroup]) -> str:
    """Return the text of jars.toml."""
    lines = [
        "# Roots and exclusions are written by hand; the lists below them by: python -m echopulse.stack.lock_jars",
        "# Excluded from kafka: what only its tools, OAuth and Scala's compiler load (seen by -Xlog:class+load).",
    ]
    for group in groups:
        lines += ["", f"[{group.name}]", "roots = [", *(f"  {json.dumps(root)}," for root in group.roots), "]"]
        lines += [f"transitive = {json.dumps(group.transitive)}"]
        if group.exclude:
            lines += ["exclude = [", *(f"  {json.dumps(project)}," for project in group.exclude), "]"]
        lines += ["jars = ["]
        lines += [f'  {{ coordinate = "{j.coordinate}", size = {j.size}, sha256 = "{j.sha256}" }},' for j in group.jars]
        lines += ["]"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write jars.toml anew."""
    with tempfile.TemporaryDirectory() as repository:
        groups = [resolve(group, Path(repository)) for group in read_lock().values()]
    LOCK.write_text(render(groups), "utf-8")
    for group in groups:
        sys.stdout.write(f"{group.name}: {len(group.jars)} jars, {group.size / 1e6:.1f} MB\n")


def _project(dependency: Dependency) -> str:
    return f"{dependency.groupId}:{dependency.artifactId}"


def _locked(dependency: Dependency) -> Jar:
    content = dependency.artifact.resolve().read_bytes()
    return Jar(f"{_project(dependency)}:{dependency.version}", hashlib.sha256(content).hexdigest(), len(content))


if __name__ == "__main__":
    main()
