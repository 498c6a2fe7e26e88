"""What windows keep on the heap: the job's own state, on the Java that is there, over a heap that tells what it got."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from echopulse.stack import find_java
from echopulse.stack.flink_config import flink_home
from echopulse.stack.job_jar import job_jar
from tests.compiler_jar import link_compiler

_HERE = Path(__file__).parent
_SOURCES = _HERE.parents[1] / "pipelines" / "java"


def test_the_heap_gets_what_the_serializer_reads_back(tmp_path: Path) -> None:
    """Not the object given, which may change; whole where it outgrows the buffer; no value stays none."""
    for source in (*_SOURCES.glob("*.java"), _HERE / "PackedValues.java"):
        shutil.copy(source, tmp_path)
    jars = tmp_path / "jars"
    jars.mkdir()
    [flink] = (flink_home() / "lib").glob("flink-dist-*.jar")
    lengths = [2, 500, 0, 1]
    told = subprocess.run(
        [
            *(
                find_java().executable,
                "-cp",
                os.pathsep.join(map(str, (job_jar(link_compiler(jars), tmp_path), flink))),
            ),
            *("echopulse.PackedValues", *map(str, lengths)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.splitlines() == [*(f"ArrayList {list(range(length))}" for length in lengths), "- null", "[0, 1]"]
