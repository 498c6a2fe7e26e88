"""The locked list of jars: Maven coordinates, digests and sizes, read from jars.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schemas.errors import EchoPulseError, did_you_mean

LOCK = Path(__file__).with_name("jars.toml")
KAFKA, FLINK_JOB, FLINK_S3, JAVA_COMPILER = "kafka", "flink-job", "flink-s3", "java-compiler"


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar: group:artifact:version, its sha256 (hex) and its size in bytes."""

    coordinate: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        """The name the jar has in a Maven repository."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


@dataclass(frozen=True, slots=True)
class JarGroup:
    """Jars that are used together: what was asked for, and the locked list it resolved to."""

    name: str
    roots: tuple[str, ...]
    transitive: bool
    exclude: tuple[str, ...]
    jars: tuple[Jar, ...]

    @property
    def size(self) -> int:
        """Bytes of the whole group."""
        return sum(jar.size for jar in self.jars)


@cache
def read_lock(path: Path = LOCK) -> dict[str, JarGroup]:
    """Return the groups of the lock file by name; raises EchoPulseError where it is unreadable."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return {
            name: JarGroup(
                name,
                tuple(group["roots"]),
                group["transitive"],
                tuple(group.get("exclude", ())),
                tuple(Jar(jar["coordinate"], jar["sha256"], jar["size"]) for jar in group.get("jars", ())),
            )
            for name, group in document.items()
        }
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise EchoPulseError(f"the jar list {path} is unreadable: {error!r}", "reinstall the package") from error


def group_named(name: str) -> JarGroup:
    """Return one group; raises EchoPulseError naming the nearest one."""
    groups = read_lock()
    if name not in groups:
        raise EchoPulseError(f"unknown group of jars '{name}'", did_you_mean(name, groups))
    return groups[name]
