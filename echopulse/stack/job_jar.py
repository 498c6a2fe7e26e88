"""The job's own Java classes (`pipelines/java`) as a jar, compiled where it is first needed, also by a mere JRE."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.stack.fetch import fetch
from echopulse.stack.flink_config import flink_home
from echopulse.stack.jars import JAVA_COMPILER, group_named
from echopulse.stack.java import OLDEST, find_java
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOURCES = Path(str(files("pipelines"))) / "java"
_TIMEOUT_S = 120
#: What a zip file says of a time that does not matter, so that the same classes are the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def job_jar(folder: Path, sources: Path = _SOURCES) -> Path:
    """Return the jar of the classes in `sources`, which lies in `folder` under the digest of what it is made of.

    Raises EchoPulseError where the compiler cannot be downloaded or refuses a file.
    """
    flink = sorted((flink_home() / "lib").glob("flink-dist-*.jar"))
    texts = sorted(sources.glob("*.java"))
    if not flink or not texts:
        missing = f"flink-dist jar in {flink_home() / 'lib'}" if texts else f"Java source in {sources}"
        raise EchoPulseError(f"flink: no {missing}", "reinstall apache-flink-libraries and echopulse")
    [compiler] = fetch(group_named(JAVA_COMPILER), folder)
    made_of = [compiler.name, flink[0].name, *(text.read_text("utf-8") for text in texts)]
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()
    jar = folder / f"echopulse-job-{digest[:16]}.jar"
    if not jar.is_file():
        _compile(compiler, flink[0], texts, jar)
    return jar


def _compile(compiler: Path, classpath: Path, texts: Sequence[Path], jar: Path) -> None:
    # Beside its target, so that another process sees the whole jar or none.
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=jar.parent) as name:
        classes = Path(name, "classes")
        command: list[str | Path] = [find_java().executable, "-jar", compiler, f"-{OLDEST}", "-proc:none", "-nowarn"]
        ran = subprocess.run(
            [*command, "-classpath", classpath, "-d", classes, *texts],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if ran.returncode:
            said = next((line for line in ran.stderr.splitlines() if "ERROR" in line), ran.stderr.strip()[-300:])
            raise EchoPulseError(f"the job's Java classes do not compile: {said}", f"see {texts[0].parent}")
        whole = Path(name, jar.name)
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(classes.rglob("*.class")):
                archive.writestr(zipfile.ZipInfo(each.relative_to(classes).as_posix(), _NO_TIME), each.read_bytes())
        whole.replace(jar)
