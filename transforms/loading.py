"""Open an artifact by its name or folder, whatever its kind."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError, did_you_mean
from transforms import bag, cascade
from transforms.artifact import find_artifact, read_manifest
from transforms.model import TableModel

if TYPE_CHECKING:
    from pathlib import Path

    from transforms.model import Model
    from transforms.shedding import Shedding

#: The kind of a transformer's artifact; onnxruntime is imported where one is opened, workers without one save 60 MB.
ONNX = "onnx"
KINDS = (bag.KIND, ONNX, cascade.KIND)


def load_model(folder: Path, shedding: Shedding | None = None) -> Model:
    """Open an artifact, once a process; raises EchoPulseError where it cannot be, or sheds without being a cascade."""
    model = _load(folder.resolve(), shedding)
    if shedding is not None and not isinstance(model, cascade.Cascade):
        raise EchoPulseError(f"shed: {folder} is a model of kind '{model.manifest.kind}'", "a cascade sheds load")
    return model


@cache
def _load(folder: Path, shedding: Shedding | None) -> Model:
    manifest, digest = read_manifest(folder)
    if manifest.kind == bag.KIND:
        return bag.load_bag(folder)
    if manifest.kind == ONNX:
        from transforms.transformer import Transformer  # noqa: PLC0415 - see ONNX

        return Transformer(manifest, digest, folder)
    if manifest.kind != cascade.KIND or manifest.cascade is None:
        raise EchoPulseError(f"{folder}: no kind of model '{manifest.kind}'", did_you_mean(manifest.kind, KINDS))
    first, second = (
        _load(find_artifact(name, beside=folder).resolve(), None)
        for name in (manifest.cascade.first, manifest.cascade.second)
    )
    if not isinstance(second, TableModel):
        raise EchoPulseError(f"{folder}: the second model of a cascade is one of kind '{second.manifest.kind}'")
    return cascade.Cascade(manifest, digest, first, second, shedding)
