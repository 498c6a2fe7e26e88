"""What a model costs: time for a batch on one core, bytes on the disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from transforms.model import question

if TYPE_CHECKING:
    from echopulse.registry.gates.gate import Case

_WARM = 3
_ROUNDS = 30
_MIB = 1024 * 1024


class Latency(Gate):
    """The time in ms that a batch of so many labelled texts takes on one core, at the 95th percentile of 30 batches."""

    name: ClassVar[str] = "latency"
    split: str = "val"
    texts: int = Field(default=256, ge=1, le=20_000)
    ceiling_ms: float = Field(gt=0)

    def check(self, case: Case) -> Finding:
        """Score one batch after the other."""
        texts = case.rows(self.split).texts
        head = next(name for name in case.model.manifest.tasks if name.partition(".")[0] == case.task)
        times = []
        for turn in range(_WARM + _ROUNDS):
            start = turn * self.texts % max(len(texts) - self.texts, 1)
            batch = texts.slice(start, self.texts)
            begun = time.perf_counter()
            case.model.answer(head, question(batch))
            times.append(1_000 * (time.perf_counter() - begun))
        slow = float(np.percentile(times[_WARM:], 95))
        told = f"{slow:.1f} ms for {min(self.texts, len(texts))} texts; the ceiling is {self.ceiling_ms:g} ms"
        return Finding(slow <= self.ceiling_ms, told, {"p95_ms": slow, "p50_ms": float(np.median(times[_WARM:]))})


class Size(Gate):
    """The artifact's files together, in MiB."""

    name: ClassVar[str] = "size"
    ceiling_mib: float = Field(gt=0)

    def check(self, case: Case) -> Finding:
        """Add up the files of the manifest."""
        size = sum((case.folder / name).stat().st_size for name in case.model.manifest.files) / _MIB
        return Finding(size <= self.ceiling_mib, f"{size:.1f} MiB; the ceiling is {self.ceiling_mib:g}", {"mib": size})
