"""The module of multi-token prediction: from the backbone's last hidden state and the next token, the token after it.

One module serves every depth (Nemotron 3: `num_nextn_predict_layers` 1, one shared module): what it gives goes in again
with the token that it led to. Embedding and head are the backbone's. At depth k and position i::

    x = eh_proj([enorm(embedding(token[i + k])) ; hnorm(h of depth k - 1 at i)])      # the embedding comes first
    h = final_layernorm(layers(x));  head(h) tells token[i + k + 1]

where depth 0 is the backbone after its final norm. Attention at depth k sees the keys of depth 1 up to position i and those
of depths 2 to k at i alone: so it is when drafting, where the keys of drafted tokens stand behind those of read ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .attention import KeyValueCache
from .config import ConfigError, ModelConfig
from .model import Block, CheckpointError, HybridLM, RMSNorm

FILE = "mtp.safetensors"
PREFIX = "mtp."


class ModuleBlock(Block):
    """A block of the module; the first one joins its two inputs, the last one norms what comes out (names as released)."""

    def __init__(self, letter: str, config: ModelConfig, is_first: bool, is_last: bool) -> None:
        super().__init__(letter, config)
        size, epsilon = config.hidden_size, config.layer_norm_epsilon
        if is_first:
            self.enorm = RMSNorm(size, epsilon)
            self.hnorm = RMSNorm(size, epsilon)
            self.eh_proj = nn.Linear(2 * size, size, bias=False)
        if is_last:
            self.final_layernorm = RMSNorm(size, epsilon)


class MultiTokenModule(nn.Module):
    """The layers of `mtp_hybrid_override_pattern` with the norms and the projection around them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        letters = config.mtp_hybrid_override_pattern
        if not config.num_nextn_predict_layers:
            raise ConfigError("num_nextn_predict_layers is 0: the config has no module of multi-token prediction; set it to 1")
        self.config = config
        self.layers = nn.ModuleList(
            ModuleBlock(letter, config, at == 0, at == len(letters) - 1) for at, letter in enumerate(letters)
        )
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(
        self, hidden: Tensor, embedded: Tensor, caches: list[KeyValueCache | None] | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, list[KeyValueCache | None]]:
        """hidden, embedded (batch, seq, hidden) -> hidden of the next depth (batch, seq, hidden) and the caches so far.

        `mask` (batch, 1, seq, cached + seq): True where attended; None is causal after all that is cached.
        """
        first, last = self.layers[0], self.layers[-1]
        x = first.eh_proj(torch.cat([first.enorm(embedded), first.hnorm(hidden)], -1))
        after: list[KeyValueCache | None] = []
        for index, layer in enumerate(self.layers):
            x, kept = layer(x, caches[index] if caches else None, None, mask, True)
            after.append(kept)
        return last.final_layernorm(x), after

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())


def depths(
    module: MultiTokenModule, embeddings: nn.Embedding, hidden: Tensor, tokens: Tensor, mask: Tensor, count: int
) -> Iterator[Tensor]:
    """Hidden states (batch, seq, hidden) of depth 1 to `count` over whole rows, as drafting computes them.

    `hidden` (batch, seq, hidden) is the backbone's, `mask` (batch, 1, seq, seq) causal within documents. Where token
    i + k lies behind the row or the document, what comes out means nothing.
    """
    length = tokens.shape[1]
    alone = torch.eye(length, dtype=torch.bool, device=tokens.device).expand_as(mask)
    caches: list[KeyValueCache | None] | None = None
    seen = mask
    for depth in range(1, count + 1):
        following = torch.roll(tokens, -depth, 1)
        hidden, caches = module(hidden, embeddings(following), caches, seen)
        yield hidden
        seen = torch.cat([seen, alone], -1)


def module_config(parent: ModelConfig, pattern: str) -> ModelConfig:
    """The parent's config with a module of these layers."""
    return replace(parent, num_nextn_predict_layers=1, mtp_hybrid_override_pattern=pattern)


def save_module(module: MultiTokenModule, folder: Path, parent: HybridLM, provenance: dict) -> None:
    """Writes mtp.safetensors, mtp_config.json and provenance.json into `folder`, each by rename; the backbone stays out."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {PREFIX + k: v.detach().float().cpu().clone().contiguous() for k, v in module.state_dict().items()}
    save_file(tensors, folder / f"{FILE}.part", metadata={"format": "pt"})
    os.replace(folder / f"{FILE}.part", folder / FILE)
    config = module.config
    fields = {
        "hidden_size": parent.config.hidden_size,
        "vocab_size": parent.config.vocab_size,
        "num_nextn_predict_layers": config.num_nextn_predict_layers,
        "mtp_hybrid_override_pattern": config.mtp_hybrid_override_pattern,
    }
    for name, content in (("mtp_config.json", fields), ("provenance.json", provenance)):
        (folder / f"{name}.part").write_text(json.dumps(content, indent=2) + "\n")
        os.replace(folder / f"{name}.part", folder / name)


def load_module(folder: Path, parent: ModelConfig) -> MultiTokenModule:
    """The module that `folder` holds, for a backbone of this config; CheckpointError names the file and the field."""
    path, said = folder / FILE, folder / "mtp_config.json"
    if not path.is_file() or not said.is_file():
        raise CheckpointError(f"{folder}: no {FILE} with an mtp_config.json beside it; train a module there first")
    fields = json.loads(said.read_text())
    for name in ("hidden_size", "vocab_size"):
        if fields.get(name) != getattr(parent, name):
            raise CheckpointError(
                f"{said}: {name} is {fields.get(name)}, but the parent's is {getattr(parent, name)}; "
                "a module fits only the backbone that it was trained on"
            )
    try:
        module = MultiTokenModule(module_config(parent, str(fields.get("mtp_hybrid_override_pattern", ""))))
        tensors = load_file(path)
    except ConfigError as error:
        raise CheckpointError(f"{said}: {error}") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} can't be read ({error}); it was cut short, copy or train it again") from error
    wanted = {PREFIX + name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    for name in sorted(wanted.keys() | tensors.keys()):
        if name not in tensors or name not in wanted:
            raise CheckpointError(f"{path}: {'no tensor' if name in wanted else 'not known:'} {name}; mtp_config.json is another module's")
        if tuple(tensors[name].shape) != wanted[name]:
            raise CheckpointError(
                f"{path}: {name} is {tuple(tensors[name].shape)}, but the parent's config.json makes it {wanted[name]}; "
                "a module fits only the backbone that it was trained on"
            )
    module.load_state_dict({name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()})
    return module


def module_tensors(module: MultiTokenModule) -> Mapping[str, np.ndarray]:
    """The module's weights by their names in a checkpoint, float32."""
    return {PREFIX + name: tensor.detach().float().numpy() for name, tensor in module.state_dict().items()}
