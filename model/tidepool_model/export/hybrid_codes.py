"""Owns the numbers that a hybrid ships: every matrix as codes and float16 scales, and the model that these amount to.

A matrix that was taught on the 4-bit grid keeps exactly its codes and scales; the others are rounded here (quantise.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..architecture.config import ConfigError
from ..architecture.grid import BLOCK, grid_codes
from ..architecture.hybrid_checkpoint import HybridCheckpoint
from .quantise import BlockQuantised, quantise_blocks

EMBEDDING_BITS = 8


@dataclass(frozen=True)
class Matrix:
    """(rows, inputs) as MatMulNBits takes it: zero is the code in the middle."""

    packed: np.ndarray  # (rows, inputs / 32, 32 * bits / 8) uint8
    scales: np.ndarray  # (rows, inputs / 32) float16
    bits: int

    @property
    def rows(self) -> int:
        return self.packed.shape[0]

    @property
    def inputs(self) -> int:
        return self.packed.shape[1] * BLOCK

    def dequantise(self) -> np.ndarray:
        """What the kernels see, (rows, inputs) float32."""
        codes = self.packed
        if self.bits == 4:
            codes = np.stack([codes & 15, codes >> 4], -1).reshape(*codes.shape[:2], BLOCK)
        return BlockQuantised(codes, self.scales.astype(np.float32), self.bits).dequantise()


def _pack(codes: np.ndarray, scales: np.ndarray, bits: int) -> Matrix:
    return Matrix(BlockQuantised(codes, scales.astype(np.float32), bits).packed(), scales, bits)


def taught(name: str, weight: np.ndarray, scale: np.ndarray) -> Matrix:
    """Codes of the grid that a matrix was taught on. ConfigError where a scale is 0 or no float16 number."""
    half = scale.astype(np.float16)
    if not np.array_equal(half.astype(np.float32), scale) or not half.all():
        raise ConfigError(f"{name}.weight_scale holds 0 or a number that float16 doesn't have; teach on float16 scales (architecture/grid.py)")
    codes = grid_codes(torch.from_numpy(weight), torch.from_numpy(scale)).numpy() + 8  # (rows, blocks, 32)
    return _pack(codes.astype(np.uint8), half, 4)


def rounded(weight: np.ndarray, bits: int) -> Matrix:
    """The nearest codes under the best of several scales, which are float16 before the codes are chosen."""
    best = quantise_blocks(weight, bits, BLOCK).scales.astype(np.float16)  # (rows, blocks)
    scales = np.where(best == 0, np.float16(1), best)
    zero = 1 << (bits - 1)
    steps = weight.reshape(len(weight), -1, BLOCK) / scales.astype(np.float32)[..., None]
    codes = np.clip(np.rint(steps), -zero, zero - 1) + zero
    return _pack(codes.astype(np.uint8), scales, bits)


@dataclass(frozen=True)
class Matrices:
    """All matrices of a model by the name of their product in the graph; several of the checkpoint's may be one."""

    by_name: dict[str, Matrix]
    sources: dict[str, tuple[str, ...]]  # checkpoint matrices of each, in the order of its rows
    taught: int  # checkpoint matrices that came with a grid

    def of(self, name: str) -> Matrix:
        return self.by_name[name]

    @property
    def embedding(self) -> Matrix:
        return self.by_name["embeddings"]


def products(pattern: str) -> dict[str, tuple[str, ...]]:
    """The products of the graph and the checkpoint matrices that each is made of."""
    named: dict[str, tuple[str, ...]] = {}
    for index, letter in enumerate(pattern):
        at = f"layers.{index}"
        if letter == "M":
            named[f"{at}.in_proj"] = (f"{at}.mixer.in_proj",)
            named[f"{at}.out_proj"] = (f"{at}.mixer.out_proj",)
        else:
            named[f"{at}.qkv_proj"] = tuple(f"{at}.mixer.{part}_proj" for part in "qkv")
            named[f"{at}.o_proj"] = (f"{at}.mixer.o_proj",)
        named[f"{at}.mlp_in"] = (f"{at}.mlp.gate_proj", f"{at}.mlp.up_proj")
        named[f"{at}.mlp_out"] = (f"{at}.mlp.down_proj",)
    return named


def quantise_hybrid(checkpoint: HybridCheckpoint) -> Matrices:
    """Codes and scales of every matrix."""
    sources = products(checkpoint.config.pattern)
    by_name = {"embeddings": rounded(checkpoint.tensor("embed_tokens.weight"), EMBEDDING_BITS)}
    count = 0
    for name, parts in sources.items():
        pieces = []
        for part in parts:
            weight, scale = checkpoint.tensor(part + ".weight"), checkpoint.scale(part)
            count += scale is not None
            pieces.append(rounded(weight, 4) if scale is None else taught(part, weight, scale))
        by_name[name] = Matrix(np.concatenate([p.packed for p in pieces]), np.concatenate([p.scales for p in pieces]), 4)
    return Matrices(by_name, {"embeddings": ("embed_tokens",), **sources}, count)


def shipped_weights(checkpoint: HybridCheckpoint, matrices: Matrices) -> dict[str, torch.Tensor]:
    """The state of a HybridLlama that holds what ships: every matrix as its codes and scales say."""
    state = {name: torch.from_numpy(value) for name, value in checkpoint.weights().items()}
    for name, parts in matrices.sources.items():
        whole = torch.from_numpy(matrices.of(name).dequantise())
        for part, piece in zip(parts, whole.split([len(state[p + ".weight"]) for p in parts]), strict=True):
            state[part + ".weight"] = piece
    return state
