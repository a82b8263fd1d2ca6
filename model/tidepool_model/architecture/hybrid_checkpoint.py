"""A hybrid's checkpoint folder, read into numpy or PyTorch and written: hybrid.json and model.safetensors, held against each other.

Beside a matrix `X.weight` may stand `X.weight_scale` (rows, inputs / 32): the scales of the 4-bit grid (grid.py) that the
matrix was taught on. Owns no numbers of its own.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import Tensor

from .config import ConfigError
from .grid import BLOCK, on_grid
from .hybrid_llama import HybridLlama, HybridLlamaConfig

SCALE = ".weight_scale"


@dataclass(frozen=True)
class HybridCheckpoint:
    path: Path
    config: HybridLlamaConfig
    tensors: dict[str, np.ndarray]  # float32, by their name in HybridLlama; scales of taught matrices beside them

    def tensor(self, name: str) -> np.ndarray:
        return self.tensors[name]

    def scale(self, name: str) -> np.ndarray | None:
        """Scales (rows, inputs / 32) of the matrix `name`.weight where it was taught on the grid, else None."""
        return self.tensors.get(name + SCALE)

    def weights(self) -> dict[str, np.ndarray]:
        """What a HybridLlama takes: everything but the scales."""
        return {name: value for name, value in self.tensors.items() if not name.endswith(SCALE)}

    @property
    def parameter_count(self) -> int:
        return sum(value.size for value in self.weights().values())


def expected_shapes(config: HybridLlamaConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor of a HybridLlama of these sizes."""
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in HybridLlama(config).state_dict().items()}


def load_hybrid(folder: str | Path) -> HybridCheckpoint:
    """The checkpoint in `folder`. ConfigError names the file, the tensor that is wrong, and what to do."""
    folder = Path(folder)
    config = HybridLlamaConfig.load(folder)
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ConfigError(f"{path} is missing; copy it from the run that wrote hybrid.json")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): it is cut short or damaged; copy it again") from error
    shapes = expected_shapes(config)
    if missing := sorted(set(shapes) - set(tensors)):
        raise ConfigError(
            f"{path} lacks {missing[0]} and {len(missing) - 1} more of the {len(shapes)} tensors that pattern {config.pattern} asks for; "
            "take hybrid.json and model.safetensors from the same run"
        )
    for name, value in tensors.items():
        matrix = name.removesuffix("_scale")
        wanted = shapes.get(matrix if name.endswith(SCALE) else name)
        if wanted is not None and name.endswith(SCALE):
            wanted = (wanted[0], wanted[1] // BLOCK)
        if wanted is None:
            raise ConfigError(f"{path} holds {name}, which pattern {config.pattern} has no place for; take both files from the same run")
        if value.shape != wanted:
            raise ConfigError(f"{path}: {name} is {value.shape}, but hybrid.json makes it {wanted}; take both files from the same run")
        if not np.isfinite(value).all():
            raise ConfigError(f"{path}: {name} holds NaN or infinity; take an earlier checkpoint")
    return HybridCheckpoint(folder, config, {name: value.astype(np.float32) for name, value in tensors.items()})


def read_hybrid(folder: Path) -> tuple[HybridLlama, dict[str, Tensor]]:
    """The model in PyTorch (float32, unrounded) and the grid scales by matrix name (`….weight`); raises as load_hybrid."""
    checkpoint = load_hybrid(folder)
    model = HybridLlama(checkpoint.config)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in checkpoint.weights().items()})
    scales = {name.removesuffix("_scale"): torch.from_numpy(value) for name, value in checkpoint.tensors.items() if name.endswith(SCALE)}
    return model, scales


def load_base(path: Path) -> HybridLlama:
    """base.pt of training/lagoon_base.py, the model before its conversion: in the fastest type of this processor, without gradients."""
    state = torch.load(path)
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    base = HybridLlama(HybridLlamaConfig("*" * blocks, vocab_size=state["embed_tokens.weight"].shape[0]))
    base.load_state_dict(state)
    return base.to_fastest().eval().requires_grad_(False)


@torch.no_grad()
def round_to_grid(model: HybridLlama, scales: dict[str, Tensor]) -> HybridLlama:
    """The model as it ships: every matrix with scales on its grid, in place; the rest as it is."""
    parameters = dict(model.named_parameters())
    for name, scale in scales.items():
        parameters[name].data = on_grid(parameters[name].data, scale)
    return model


def write_hybrid(folder: Path, config: HybridLlamaConfig, tensors: dict[str, Tensor], scales: dict[str, Tensor], tokenizer: Path) -> None:
    """Writes the folder, the weights (float32) by rename; `scales` by matrix name."""
    config.save(folder)
    named = {name: value.detach().float().contiguous().clone() for name, value in tensors.items()}
    named |= {f"{name}_scale": value.detach().float().contiguous().clone() for name, value in scales.items()}
    part = folder / "model.safetensors.part"
    save_file(named, part)
    os.replace(part, folder / "model.safetensors")
    if tokenizer.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copy(tokenizer, folder / "tokenizer.json")
