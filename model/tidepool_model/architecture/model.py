"""The Nemotron-H stack as a causal language model, with carried state, and its checkpoint folder."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .attention import Attention, KeyValueCache
from .config import ModelConfig
from .feedforward import MixtureOfExperts, SquaredReluMlp
from .mamba2 import Mamba2Mixer, MambaState


class CheckpointError(RuntimeError):
    """A checkpoint that can't be read; the message names the file and the way out."""


@dataclass
class ModelState:
    """States by layer index; layers without a state are absent."""

    layers: dict[int, MambaState | KeyValueCache] = field(default_factory=dict)


class RMSNorm(nn.Module):
    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return (self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.epsilon))).to(x.dtype)


def build_mixer(letter: str, config: ModelConfig) -> nn.Module:
    match letter:
        case "M":
            return Mamba2Mixer(config)
        case "*":
            return Attention(config)
        case "-":
            return SquaredReluMlp(config.hidden_size, config.intermediate_size)
        case "E":
            return MixtureOfExperts(config)
    raise AssertionError(letter)  # ModelConfig has refused it


class Block(nn.Module):
    """x + mixer(norm(x)); one layer of the pattern is one block."""

    def __init__(self, letter: str, config: ModelConfig) -> None:
        super().__init__()
        self.letter = letter
        self.norm = RMSNorm(config.hidden_size, config.layer_norm_epsilon)
        self.mixer = build_mixer(letter, config)

    def forward(
        self, x: Tensor, state: object, starts: Tensor | None, mask: Tensor | None, keep_state: bool
    ) -> tuple[Tensor, object]:
        normed = self.norm(x)
        new_state: object = None
        if self.letter == "M":
            y, new_state = self.mixer(normed, state, starts, keep_state)
        elif self.letter == "*":
            y, new_state = self.mixer(normed, state, mask, keep_state)
        else:
            y = self.mixer(normed)
        return x + y, new_state


class Backbone(nn.Module):
    """Embedding, blocks, final norm; names as in Hugging Face's NemotronHModel."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(letter, config) for letter in config.pattern)
        self.norm_f = RMSNorm(config.hidden_size, config.layer_norm_epsilon)

    def forward(
        self,
        tokens: Tensor,
        starts: Tensor | None = None,
        mask: Tensor | None = None,
        state: ModelState | None = None,
        keep_state: bool = False,
    ) -> tuple[Tensor, ModelState | None]:
        """tokens (batch, seq) -> hidden (batch, seq, hidden).

        `starts` (batch, seq) bool marks document starts in packed rows, `mask` (batch, 1, seq, seq) is then
        the block-diagonal causal mask (`document_mask`). With `state` and `starts` only the Mamba layers go on from
        the row before; attention keeps to its row.
        """
        x = self.embeddings(tokens)  # (batch, seq, hidden)
        new_state = ModelState() if keep_state else None
        for index, layer in enumerate(self.layers):
            before = None if state is None else state.layers.get(index)
            x, after = layer(x, before, starts, mask, keep_state)
            if new_state is not None and after is not None:
                new_state.layers[index] = after
        return self.norm_f(x), new_state


def document_mask(starts: Tensor) -> Tensor:
    """(batch, seq) document starts -> (batch, 1, seq, seq) bool: same document and not later."""
    document = starts.long().cumsum(1)  # (batch, seq)
    same = document[:, None, :, None] == document[:, None, None, :]
    length = starts.shape[1]
    return same & torch.ones(length, length, dtype=torch.bool, device=starts.device).tril()


class HybridLM(nn.Module):
    """Backbone and head; the head shares the embedding's weights when the config ties them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Backbone(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.reset_parameters()
        if config.tie_word_embeddings:
            self.lm_head.weight = self.model.embeddings.weight

    def reset_parameters(self) -> None:
        """Normal 0.02 everywhere; what writes to the residual stream is scaled by 1/sqrt(layers)."""
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
                if name.endswith(("out_proj.weight", "o_proj.weight", "down_proj.weight")):
                    with torch.no_grad():
                        parameter /= math.sqrt(len(self.config.pattern))

    def logits(self, hidden: Tensor) -> Tensor:
        return self.lm_head(hidden)  # (..., vocab)

    def forward(self, tokens: Tensor, state: ModelState | None = None) -> tuple[Tensor, ModelState]:
        """tokens (batch, seq) -> logits (batch, seq, vocab) and the carried state."""
        hidden, new_state = self.model(tokens, state=state, keep_state=True)
        assert new_state is not None
        return self.logits(hidden), new_state

    def loss(self, hidden: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean cross-entropy in nats over targets (batch, seq) that are not -100; computes logits only there.

        `weights` (batch, seq) multiplies each target's share; below 0 it drives the target's chance down.
        """
        chosen = targets != -100  # (batch, seq)
        logits = self.logits(hidden[chosen]).float()  # (chosen, vocab)
        if weights is None:
            return F.cross_entropy(logits, targets[chosen])
        return (F.cross_entropy(logits, targets[chosen], reduction="none") * weights[chosen]).mean()

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())


def save_pretrained(model: HybridLM, folder: Path, special: dict[str, int], extra: dict | None = None) -> None:
    """Writes config.json, model.safetensors and provenance.json into `folder`, each by rename, so none is half-written.

    `special` holds eos_token_id, pad_token_id, bos_token_id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A tied head is written out all the same (cloned): Hugging Face's NemotronH does not tie by itself.
    tensors = {k: v.detach().float().cpu().clone().contiguous() for k, v in model.state_dict().items()}
    part = folder / "model.safetensors.part"
    save_file(tensors, part, metadata={"format": "pt"})
    os.replace(part, folder / "model.safetensors")
    for name, content in (("config.json", model.config.to_hf(**special)), ("provenance.json", extra or {})):
        part = folder / f"{name}.part"
        part.write_text(json.dumps(content, indent=2) + "\n")
        os.replace(part, folder / name)


def load_pretrained(folder: Path) -> HybridLM:
    """Reads a checkpoint folder. Raises CheckpointError or ConfigError naming the file."""
    config = ModelConfig.from_hf(folder / "config.json")
    path = folder / "model.safetensors"
    if not path.exists():
        raise CheckpointError(f"{path} is missing; train first or name another checkpoint folder")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} can't be read ({path.stat().st_size} bytes: {error}); it was cut short, copy or train it again"
        ) from error
    model = HybridLM(config)
    for name, value in model.state_dict().items():
        if name in tensors and tensors[name].shape != value.shape:
            raise CheckpointError(
                f"{path}: {name} is {tuple(tensors[name].shape)}, config.json asks for {tuple(value.shape)}; the two are not of one model"
            )
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if missing or unexpected:
        raise CheckpointError(f"{path} does not fit config.json: missing {missing[:3]}, not known {unexpected[:3]}")
    return model
