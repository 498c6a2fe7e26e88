"""How a TaskManager's memory is divided, so that the JVM can be started directly with matching limits."""

from __future__ import annotations

from dataclasses import dataclass

FRAMEWORK_MB = 128  # of heap, and as much of direct memory: Flink's own defaults
NETWORK_MB = 256
#: Arrow's buffers between the JVM and the Python workers are direct memory.
TASK_OFF_HEAP_MB = 384
#: Each job has class loaders of its own over some 100 MB of jars.
METASPACE_MB = 384
_MANAGED_SHARE = 0.14
_OVERHEAD_SHARE = 0.1
_JOBMANAGER_RESERVED_MB = 256 + 128 + 192  # metaspace, direct memory, overhead: Flink's own defaults


@dataclass(frozen=True, slots=True)
class TaskManagerMemory:
    """A TaskManager's total (MiB) by Flink's memory model; Python workers come on top of it.

    The heap holds what windows keep, managed memory RocksDB's caches and write buffers. Source of the parts and of the
    JVM's limits: Flink's "Set up TaskManager Memory", JVM parameters.
    """

    total: int

    @property
    def managed(self) -> int:
        """For state and Python's budget."""
        return int(self.total * _MANAGED_SHARE)

    @property
    def overhead(self) -> int:
        """For thread stacks, code cache and garbage collection."""
        return int(self.total * _OVERHEAD_SHARE)

    @property
    def task_heap(self) -> int:
        """What the other parts leave."""
        direct = FRAMEWORK_MB + TASK_OFF_HEAP_MB + NETWORK_MB
        return self.total - self.managed - self.overhead - METASPACE_MB - direct - FRAMEWORK_MB

    @property
    def config(self) -> dict[str, object]:
        """The parts as Flink's keys; a TaskManager refuses to start without them."""
        return {
            "taskmanager.memory.framework.heap.size": f"{FRAMEWORK_MB}m",
            "taskmanager.memory.framework.off-heap.size": f"{FRAMEWORK_MB}m",
            "taskmanager.memory.task.heap.size": f"{self.task_heap}m",
            "taskmanager.memory.task.off-heap.size": f"{TASK_OFF_HEAP_MB}m",
            "taskmanager.memory.network.min": f"{NETWORK_MB}m",
            "taskmanager.memory.network.max": f"{NETWORK_MB}m",
            "taskmanager.memory.managed.size": f"{self.managed}m",
            "taskmanager.memory.managed.consumer-weights": "OPERATOR:70,STATE_BACKEND:70,PYTHON:30",
            "taskmanager.memory.jvm-metaspace.size": f"{METASPACE_MB}m",
            "taskmanager.memory.jvm-overhead.min": f"{self.overhead}m",
            "taskmanager.memory.jvm-overhead.max": f"{self.overhead}m",
        }

    @property
    def java_options(self) -> tuple[str, ...]:
        """The JVM's limits for these parts."""
        return (
            f"-Xms{FRAMEWORK_MB + self.task_heap}m",
            f"-Xmx{FRAMEWORK_MB + self.task_heap}m",
            # Windows that end make as much in a second as they keep: a small young generation would promote it all.
            "-XX:NewRatio=1",
            f"-XX:MaxDirectMemorySize={FRAMEWORK_MB + TASK_OFF_HEAP_MB + NETWORK_MB}m",
            f"-XX:MaxMetaspaceSize={METASPACE_MB}m",
        )


def jobmanager_java_options(total: int) -> tuple[str, ...]:
    """Return the JVM's limits for a JobManager of `total` MiB."""
    return (f"-Xmx{total - _JOBMANAGER_RESERVED_MB}m", "-XX:MaxMetaspaceSize=256m")
