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

    def __init__(self, base: Path, columns: int) -> None:
        super().__init__()
        # Dropout inside the encoder costs a fifth of the time on a CPU and brings nothing in one or two epochs.
        # Attention over texts so short is faster written out: 142 texts/s are learnt, 114 by torch's kernel (2 cores).
        self.encoder = AutoModel.from_pretrained(
            base, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation="eager"
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

    def __init__(self, base: Path, columns: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.net = Network(base, columns)
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
        self.net.train()

    def step(
        self,
        ids: NDArray[np.int64],
        mask: NDArray[np.int64],
        wanted: NDArray[np.float32],
        weights: NDArray[np.float32],
        spans: Sequence[tuple[int, int]],
    ) -> float:
        """Learn one batch; return its loss. Head t has the columns spans[t] and the rows' weights [rows, heads]."""
        # 16-bit products are learnt from as well, in two thirds of the time where the processor has them.
        with torch.autocast(self._device, torch.bfloat16):
            scores = self.net(torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device))
        scores = scores.float()
        wants, importance = torch.from_numpy(wanted).to(self._device), torch.from_numpy(weights).to(self._device)
        loss = torch.zeros((), device=self._device)
        for head, (low, high) in enumerate(spans):
            own, want = scores[:, low:high], wants[:, low:high]
            if high - low == 1:
                smooth = want * (1 - _SMOOTHING) + _SMOOTHING / 2
                losses = nn.functional.binary_cross_entropy_with_logits(own, smooth, reduction="none")[:, 0]
            else:
                losses = nn.functional.cross_entropy(own, want, reduction="none", label_smoothing=_SMOOTHING)
            loss = loss + (losses * importance[:, head]).sum()
        loss = loss / len(ids)
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), _LARGEST_GRADIENT)
        self._optimiser.step()
        self._schedule.step()
        return float(loss.detach())
