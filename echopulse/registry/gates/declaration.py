"""The gates of each task, as a YAML file declares them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from echopulse.registry.gates.calibration import Calibration
from echopulse.registry.gates.cost import Latency, Size
from echopulse.registry.gates.evasion import Evasion
from echopulse.registry.gates.fairness import GroupFalsePositives
from echopulse.registry.gates.features import FeatureConsistency
from echopulse.registry.gates.quality import Quality
from echopulse.registry.gates.shadow import ShadowAgreement
from echopulse.training.datasets import TASKS
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from echopulse.registry.gates.gate import Gate

#: The gates that ship.
SHIPPED = Path(__file__).with_name("gates.yaml")
KINDS: dict[str, type[Gate]] = {
    gate.name: gate
    for gate in (
        *(Quality, GroupFalsePositives, Calibration, Latency, Size, Evasion),
        *(ShadowAgreement, FeatureConsistency),
    )
}
_APPROVAL = "approval"


@dataclass(frozen=True)
class Declared:
    """A task's gates in the file's order, the role whose approval is asked for ('' for none), the file's digest."""

    gates: tuple[Gate, ...]
    role: str
    digest: str


def read_gates(path: Path, task: str) -> Declared:
    """Read a task's gates. Raises EchoPulseError naming file, task, gate and key where they cannot be told."""
    try:
        content = path.read_bytes()
        document = yaml.safe_load(content)
    except OSError as error:
        raise EchoPulseError(f"{path}: cannot be read: {error.strerror}", "registry.gates names it") from error
    except yaml.YAMLError as error:
        raise EchoPulseError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise EchoPulseError(f"{path}: a mapping of tasks to gates is expected")
    for name in document:
        if name not in TASKS:
            raise EchoPulseError(f"{path}: no task '{name}'", did_you_mean(str(name), TASKS))
    declared = document.get(task)
    if not isinstance(declared, dict) or not set(declared) - {_APPROVAL}:
        raise EchoPulseError(f"{path} declares no gates for {task}", "without gates nothing is promoted")
    gates = tuple(_gate(path, task, name, limits) for name, limits in declared.items() if name != _APPROVAL)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Declared(gates, _role(path, task, declared.get(_APPROVAL)), digest)


def _gate(path: Path, task: str, name: str, limits: object) -> Gate:
    if name not in KINDS:
        raise EchoPulseError(f"{path}: {task}: no gate '{name}'", did_you_mean(name, KINDS))
    try:
        return KINDS[name].model_validate(limits or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise EchoPulseError(f"{path}: {task}.{name}.{key}: {first['msg']}") from error


def _role(path: Path, task: str, approval: object) -> str:
    if approval is None:
        return ""
    if not isinstance(approval, dict) or set(approval) != {"role"} or not isinstance(approval["role"], str):
        raise EchoPulseError(f"{path}: {task}.approval: a role is expected", "approval: {role: NAME}")
    return approval["role"]
