"""A hybrid's checkpoint folder: hybrid.json, model.safetensors (float32, with grid scales beside their matrices), tokenizer.json."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..architecture.hybrid_llama import HybridLlama, HybridLlamaConfig

SCALE = "_scale"  # `X.weight_scale` (rows, K / 32) beside `X.weight`


class HybridCheckpointError(RuntimeError):
    """A checkpoint folder that can't be read; the message names the file and the way out."""


def write_hybrid(folder: Path, config: HybridLlamaConfig, tensors: dict[str, Tensor], scales: dict[str, Tensor], tokenizer: Path) -> None:
    """Writes the folder, the weights by rename."""
    config.save(folder)
    named = {k: v.detach().float().contiguous().clone() for k, v in tensors.items()}
    named |= {f"{k}{SCALE}": v.detach().float().contiguous().clone() for k, v in scales.items()}
    part = folder / "model.safetensors.part"
    save_file(named, part)
    os.replace(part, folder / "model.safetensors")
    if tokenizer.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copy(tokenizer, folder / "tokenizer.json")


def read_hybrid(folder: Path) -> tuple[HybridLlama, dict[str, Tensor]]:
    """The model (float32, unrounded weights) and the grid scales by matrix name. Raises HybridCheckpointError."""
    config = HybridLlamaConfig.load(folder)
    path = folder / "model.safetensors"
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise HybridCheckpointError(f"{path} can't be read ({error}); it is missing or was cut short: copy or make it again") from error
    scales = {name.removesuffix(SCALE): tensors.pop(name) for name in list(tensors) if name.endswith(SCALE)}
    model = HybridLlama(config)
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if missing or unexpected:
        raise HybridCheckpointError(f"{path} does not fit hybrid.json: missing {missing[:3]}, not known {unexpected[:3]}; make the checkpoint again")
    return model, scales


@torch.no_grad()
def round_to_grid(model: HybridLlama, scales: dict[str, Tensor]) -> HybridLlama:
    """The model as it ships: every matrix with scales on its grid, the embedding as it is."""
    from ..architecture.grid import on_grid

    parameters = dict(model.named_parameters())
    for name, scale in scales.items():
        parameters[name].data = on_grid(parameters[name].data, scale)
    return model
