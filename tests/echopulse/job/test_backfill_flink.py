"""The Flink of a backfill's own process: how its JVM is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

#: Prints the arguments of the JVM that computes.
_ARGUMENTS = """
import json, os
from echopulse.job.backfill_flink import BatchFlink
from echopulse.settings import Settings
from pyflink.java_gateway import get_gateway
before = dict(os.environ)
BatchFlink(Settings(), here=True)
assert os.environ.get("JVM_ARGS") == before.get("JVM_ARGS")
java = get_gateway().jvm.java.lang.management.ManagementFactory.getRuntimeMXBean()
print(json.dumps(list(java.getInputArguments())))
"""


@pytest.mark.parametrize(
    ("variable", "wanted", "unwanted"),
    [
        ({}, {"-XX:+UseParallelGC", "-XX:Tier4CompileThreshold=150000"}, set()),
        ({"JVM_ARGS": ""}, {"-XX:+UseParallelGC", "-XX:Tier4CompileThreshold=150000"}, set()),
        ({"JVM_ARGS": "-XX:+UseSerialGC"}, {"-XX:+UseSerialGC"}, {"-XX:+UseParallelGC"}),
    ],
)
def test_it_is_started_as_one_that_computes(variable: dict[str, str], wanted: set[str], unwanted: set[str]) -> None:
    """Or by the user's own options alone: two collectors would be none. Processes after it are not."""
    others = {name: value for name, value in os.environ.items() if name != "JVM_ARGS"}
    ran = subprocess.run(
        [sys.executable, "-c", _ARGUMENTS],
        env={**others, **variable},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    arguments = set(json.loads(ran.stdout.splitlines()[-1]))
    assert wanted <= arguments
    assert not unwanted & arguments
