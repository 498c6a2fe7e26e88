"""How a TaskManager's memory is divided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from echopulse.stack.flink_memory import TaskManagerMemory, jobmanager_java_options

if TYPE_CHECKING:
    from collections.abc import Mapping


def mb(config: Mapping[str, object], key: str) -> int:
    """Return one part in MiB."""
    return int(str(config[f"taskmanager.memory.{key}"]).removesuffix("m"))


@given(st.integers(2_560, 65_536))
def test_the_parts_make_the_whole(total: int) -> None:
    """Nothing is counted twice or left over, every part is positive, and the JVM's limits are sums of parts."""
    memory = TaskManagerMemory(total)
    config = memory.config
    heap = mb(config, "framework.heap.size") + mb(config, "task.heap.size")
    direct = mb(config, "framework.off-heap.size") + mb(config, "task.off-heap.size") + mb(config, "network.max")
    rest = mb(config, "managed.size") + mb(config, "jvm-metaspace.size") + mb(config, "jvm-overhead.max")
    assert heap + direct + rest == total
    assert mb(config, "task.heap.size") > 0
    assert {f"-Xms{heap}m", f"-Xmx{heap}m", f"-XX:MaxDirectMemorySize={direct}m"} < set(memory.java_options)
    assert config["taskmanager.memory.network.min"] == config["taskmanager.memory.network.max"]


def test_a_jobmanagers_heap_is_what_flink_would_give_it() -> None:
    """At 1280 MiB Flink's own calculation gives 704 MiB of heap."""
    assert jobmanager_java_options(1280)[0] == "-Xmx704m"
