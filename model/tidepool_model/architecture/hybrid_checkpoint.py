"""Reads a hybrid's checkpoint folder into numpy: hybrid.json and model.safetensors, held against each other.

Beside a matrix `X.weight` may stand `X.weight_scale` (rows, inputs / 32): the scales of the 4-bit grid (grid.py) that the
matrix was taught on. Owns no numbers of its own and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from .config import ConfigError
from .grid import BLOCK
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
