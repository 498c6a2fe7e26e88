"""Somebody else's classifier in Hugging Face's form, opened so that it scores in our columns."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from schemas.errors import EchoPulseError
from transforms.artifact import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from echopulse.training.hub import Source
    from echopulse.training.labels import Question

    #: Of a column of scores: indices of their labels that speak for it, and of those that speak against.
    Column = tuple[tuple[int, ...], tuple[int, ...]]


class Checkpoint:
    """A classifier with its tokeniser and configuration; raises EchoPulseError where it is none, or needs own code.

    `labels` are its labels by index; `links` says whether one of them holds (`softmax`) or each by itself (`sigmoid`).
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        with _quietly(source):
            self.config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False, local_files_only=True)
            self.net, info = AutoModelForSequenceClassification.from_pretrained(
                source.folder,
                config=self.config,
                dtype=torch.float32,
                # Written out, attention is products that are computed in 8 bits.
                attn_implementation="eager",
                trust_remote_code=False,
                local_files_only=True,
                use_safetensors=source.safe,
                weights_only=True,
                output_loading_info=True,
            )
            self._tokenizer = AutoTokenizer.from_pretrained(
                source.folder, trust_remote_code=False, local_files_only=True
            )
        if info["missing_keys"]:
            # Its head would be weights by chance.
            missing = min(info["missing_keys"])
            raise EchoPulseError(
                f"{source.name} is no classifier: it lacks the weights '{missing}'",
                "a checkpoint …ForSequenceClassification is wanted; an encoder is trained by --kind transformer",
            )
        if not self._tokenizer.is_fast:
            raise EchoPulseError(f"the tokeniser of {source.name} cannot be written as tokenizer.json")
        self.net.eval()
        self.labels: dict[int, str] = {int(index): str(label) for index, label in self.config.id2label.items()}
        # As the pipeline of transformers reads the configuration.
        if self.config.problem_type == "regression":
            raise EchoPulseError(f"{source.name} gives a number that is no probability: its problem is regression")
        one = self.config.problem_type == "multi_label_classification" or self.config.num_labels == 1
        self.links = "sigmoid" if one else "softmax"

    @property
    def architecture(self) -> str:
        """The class of its network."""
        return type(self.net).__name__

    def reading(self, style: str) -> Reading:
        """Return how an artifact of it reads: no more pieces than it has positions for, and its padding."""
        padding = self.config.pad_token_id
        if padding is None:
            padding = self._tokenizer.pad_token_id or 0
        positions = getattr(self.config, "max_position_embeddings", None) or self._tokenizer.model_max_length
        # RoBERTa counts positions from behind the id of its padding.
        most = min(Reading().pieces, positions - padding - 1, self._tokenizer.model_max_length)
        return Reading(style=style, pieces=most, padding=padding)

    def write_tokenizer(self, path: Path) -> None:
        """Write its tokeniser in the form of the library tokenizers."""
        self._tokenizer.backend_tokenizer.save(str(path))

    def in_columns(self, columns: Sequence[Column]) -> Columns:
        """Return the network that scores in these columns."""
        return Columns(self.net, columns, self.links)

    def scores(self, texts: Sequence[str], columns: Sequence[Column], reading: Reading) -> NDArray[np.float32]:
        """Return the scores [texts, columns] in 32 bits, each text by itself, by its own tokeniser."""
        net = self.in_columns(columns)
        scored = []
        with torch.inference_mode():
            for text in texts:
                pieces = self._tokenizer(text, truncation=True, max_length=reading.pieces, return_tensors="pt")
                scored.append(net(pieces["input_ids"], pieces["attention_mask"]))
        found: NDArray[np.float32] = torch.cat(scored).numpy()
        return found


class Columns(nn.Module):
    """(ids, mask) [texts, pieces] to scores [texts, columns], put together out of a classifier's own.

    A column has labels that speak for it and, where it is the log-odds of a softmax's, those that speak against it,
    whose score is taken from theirs. Several labels score as their probabilities added up do (the logarithm of the
    sum of their exponentials); labels of which each holds by itself, as the one of them that holds the most.
    """

    def __init__(self, net: nn.Module, columns: Sequence[Column], links: str) -> None:
        super().__init__()
        self.net = net
        self.columns = columns
        self.joined = torch.logsumexp if links == "softmax" else torch.amax

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Score texts."""
        own = self.net(input_ids=input_ids, attention_mask=attention_mask).logits
        return torch.stack([self._of(own, *column) for column in self.columns], dim=1)

    def _of(self, own: torch.Tensor, holds: tuple[int, ...], rest: tuple[int, ...]) -> torch.Tensor:
        score = self._together(own, holds)
        return score - self._together(own, rest) if rest else score

    def _together(self, own: torch.Tensor, indices: tuple[int, ...]) -> torch.Tensor:
        return own[:, indices[0]] if len(indices) == 1 else self.joined(own[:, list(indices)], dim=1)


def columns_of(questions: Sequence[Question]) -> list[Column]:
    """Return the columns of scores that answer questions, in order."""
    columns: list[Column] = []
    for question in questions:
        if question.width == 1:
            rest, holds = question.theirs
            columns.append((holds, rest))
        else:
            columns += [(indices, ()) for indices in question.theirs]
    return columns


@contextmanager
def _quietly(source: Source) -> Iterator[None]:
    """Keep what transformers writes to the terminal off it, and tell what it raises in one line."""
    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except Exception as error:  # a configuration of somebody else's may raise anything
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise EchoPulseError(f"{source.name} cannot be opened: {reason.strip()}") from error
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
