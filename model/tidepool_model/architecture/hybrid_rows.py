"""Rows of a HybridLM that are written side by side for batch_decode.py: prompts of any length join, ended rows leave.

Attention has no positions here, so keys and values are aligned at their newest column and older columns of a shorter row
are masked. Not here: which token a row takes, limits on the thought.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from .attention import KeyValueCache
from .mamba2 import MambaState
from .model import HybridLM, ModelState


class Row(Protocol):
    """Whoever writes a row."""

    is_over: bool


Writer = TypeVar("Writer", bound=Row)


class HybridRows(Generic[Writer]):
    """The rows that are being written, their states and what each says next."""

    def __init__(self, model: HybridLM) -> None:
        self.model = model
        self.rows: list[Writer] = []
        self.logits = torch.zeros(0, model.config.vocab_size)
        self.seen = torch.zeros(0, 0, dtype=torch.bool)  # (rows, columns): which columns of the caches are a row's own
        self.state: ModelState | None = None

    def refill(self, joining: Sequence[tuple[Writer, Sequence[int]]]) -> None:
        """Drops rows that are over and reads the prompts that join, those of one length together."""
        keep = torch.tensor([row for row, writer in enumerate(self.rows) if not writer.is_over], dtype=torch.long)
        groups: dict[int, list[tuple[Writer, Sequence[int]]]] = {}
        for writer, prompt in joining:
            groups.setdefault(len(prompt), []).append((writer, prompt))
        states = [picked(self.state, keep)] if self.state is not None and len(keep) else []
        masks = [self.seen[keep]] if states else []
        said = [self.logits[keep]] if states else []
        for length, group in groups.items():
            hidden, state = self.model.model(torch.tensor([list(prompt) for _, prompt in group]), keep_state=True)
            assert state is not None
            states.append(state)
            masks.append(torch.ones(len(group), length, dtype=torch.bool))
            said.append(self.model.logits(hidden[:, -1]))
        self.rows = [self.rows[row] for row in keep.tolist()] + [writer for group in groups.values() for writer, _ in group]
        columns = max((mask.shape[1] for mask in masks), default=0)
        aligned = torch.cat([F.pad(mask, (columns - mask.shape[1], 0)) for mask in masks]) if masks else self.seen[:0]
        used = int(aligned.any(0).float().argmax()) if aligned.numel() else 0  # columns that no row has any more are dropped
        self.seen = aligned[:, used:]
        self.state = joined(states, columns, used) if states else None
        self.logits = torch.cat(said) if said else self.logits[:0]

    def read(self, tokens: Sequence[int]) -> None:
        """One token of each row."""
        self.seen = F.pad(self.seen, (0, 1), value=True)
        hidden, self.state = self.model.model(torch.tensor(tokens)[:, None], mask=self.seen[:, None, None], state=self.state, keep_state=True)
        self.logits = self.model.logits(hidden[:, 0])


def picked(state: ModelState, rows: Tensor) -> ModelState:
    """The states of those rows, in that order."""
    layers: dict[int, MambaState | KeyValueCache] = {}
    for index, layer in state.layers.items():
        layers[index] = MambaState(layer.conv[rows], layer.ssm[rows]) if isinstance(layer, MambaState) else KeyValueCache(layer.key[rows], layer.value[rows])
    return ModelState(layers)


def joined(states: Sequence[ModelState], columns: int, drop: int) -> ModelState:
    """One batch of several; caches are aligned at their newest of `columns` columns, the `drop` oldest are left out."""
    layers: dict[int, MambaState | KeyValueCache] = {}
    for index in states[0].layers:
        parts = [state.layers[index] for state in states]
        mamba = [part for part in parts if isinstance(part, MambaState)]
        if mamba:
            layers[index] = MambaState(torch.cat([part.conv for part in mamba]), torch.cat([part.ssm for part in mamba]))
            continue
        caches = [part for part in parts if isinstance(part, KeyValueCache)]
        align = lambda value: F.pad(value, (0, 0, columns - value.shape[2], 0))[:, :, drop:]
        layers[index] = KeyValueCache(torch.cat([align(part.key) for part in caches]), torch.cat([align(part.value) for part in caches]))
    return ModelState(layers)
