"""The network that is fine-tuned: an encoder in Hugging Face's form, the mean of its last layer, one linear layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from transformers import AutoModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_DROPOUT = 0.1
_SMOOTHING = 0.05
_LARGEST_GRADIENT = 1.0
_SMALLEST_PACE = 0.02


class Network(nn.Module):
    """(ids, mask) [texts, pieces] to scores [texts, columns]."""

    def __init__(self, base: Path, columns: int, dropout: float) -> None:
        super().__init__()
        # Attention over texts so short is faster written out: 142 texts/s are learnt, 114 by torch's kernel (2 cores).
        self.encoder = AutoModel.from_pretrained(
            base,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            attn_implementation="eager",
            dtype=torch.float32,
        )
        self.dropout = nn.Dropout(_DROPOUT)
        self.scores = nn.Linear(self.encoder.config.hidden_size, columns)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Score texts by the mean of their pieces' vectors."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[:, :, None].to(hidden.dtype)
        scored: torch.Tensor = self.scores(self.dropout((hidden * mask).sum(1) / mask.sum(1)))
        return scored


class Encoder:
    """A network with its optimiser (AdamW, a linear warm-up, then linearly down); word vectors stay as they are."""

    def __init__(self, base: Path, columns: int, seed: int, dropout: float) -> None:
        torch.manual_seed(seed)
        self.net = Network(base, columns, dropout)
        self.net.encoder.get_input_embeddings().weight.requires_grad_(requires_grad=False)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.net.to(self._device)

    def start(self, steps: int, rate: float, head_rate: float, warm_up: float, weight_decay: float) -> None:
        """Prepare for so many steps at these peak rates; `warm_up` is the share of steps on the way up."""
        inner = [(name, p) for name, p in self.net.encoder.named_parameters() if p.requires_grad]
        plain = [p for name, p in inner if "bias" in name or "LayerNorm" in name]
        decayed = [p for name, p in inner if "bias" not in name and "LayerNorm" not in name]
        self._optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "lr": rate, "weight_decay": weight_decay},
                {"params": plain, "lr": rate, "weight_decay": 0.0},
                {"params": list(self.net.scores.parameters()), "lr": head_rate, "weight_decay": 0.0},
            ],
            fused=True,
        )

        def pace(step: int) -> float:
            return min(1.0, (step + 1) / max(1.0, warm_up * steps)) * max(_SMALLEST_PACE, 1.0 - step / steps)

        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, pace)
        self._sum, self._steps = torch.zeros((), device=self._device), 0
        self.net.train()

    def step(
        self,
        ids: NDArray[np.int64],
        mask: NDArray[np.int64],
        wanted: NDArray[np.float32],
        weights: NDArray[np.float32],
        spans: Sequence[tuple[int, int]],
    ) -> None:
        """Learn one batch. Head t has the columns spans[t] and the rows' weights [rows, heads]."""
        scores = self._scores(ids, mask)
        wants, importance = torch.from_numpy(wanted).to(self._device), torch.from_numpy(weights).to(self._device)
        loss = torch.zeros((), device=self._device)
        for heads, columns in _by_width(spans):
            # Of heads as wide as each other at once, which is a third of a step's time on a GPU: [rows, heads, width].
            own, want = scores[:, columns], wants[:, columns]
            if len(columns[0]) == 1:
                smooth = want * (1 - _SMOOTHING) + _SMOOTHING / 2
                losses = nn.functional.binary_cross_entropy_with_logits(own, smooth, reduction="none")[:, :, 0]
            else:
                smooth = want * (1 - _SMOOTHING) + _SMOOTHING / len(columns[0])
                losses = -(own.log_softmax(2) * smooth).sum(2)
            loss = loss + (losses * importance[:, heads]).sum()
        loss = loss / len(ids)
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), _LARGEST_GRADIENT)
        self._optimiser.step()
        self._schedule.step()
        self._sum, self._steps = self._sum + loss.detach(), self._steps + 1

    def loss(self) -> float:
        """Return the mean loss of the steps since this was last asked."""
        mean = float(self._sum) / max(1, self._steps)
        self._sum, self._steps = torch.zeros((), device=self._device), 0
        return mean

    def ask(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores [texts, columns] of texts that are not learnt."""
        self.net.eval()
        with torch.no_grad():
            scores: NDArray[np.float32] = self._scores(ids, mask).cpu().numpy()
        return scores

    def _scores(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> torch.Tensor:
        # 16-bit products are learnt from as well, in two thirds of the time where the processor has them.
        with torch.autocast(self._device, torch.bfloat16):
            scores = self.net(torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device))
        return scores.float()


def _by_width(spans: Sequence[tuple[int, int]]) -> list[tuple[list[int], list[list[int]]]]:
    """Return (heads, the columns of each) of all heads that are as wide as each other."""
    widths = sorted({high - low for low, high in spans})
    return [
        (
            [head for head, (low, high) in enumerate(spans) if high - low == width],
            [list(range(low, high)) for low, high in spans if high - low == width],
        )
        for width in widths
    ]
