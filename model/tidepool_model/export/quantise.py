"""Owns the numbers of weight quantisation: blockwise rounding, scale search, packing. It writes no graph.

Symmetric, one scale per block along the input axis K: w is about (q - zero) * scale, with the implicit zero
8 (4 bits) or 128 (8 bits) that MatMulNBits and GatherBlockQuantized assume when no zero points are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BlockQuantised:
    """A matrix (rows, K) in blocks along K."""

    codes: np.ndarray  # (rows, blocks, block_size) uint8, 0 .. 2^bits - 1
    scales: np.ndarray  # (rows, blocks) float32, may be negative
    bits: int

    @property
    def zero(self) -> int:
        """The code that means 0."""
        return 1 << (self.bits - 1)

    def dequantise(self) -> np.ndarray:
        """Returns the matrix that the kernels will see, (rows, K) float32."""
        values = (self.codes.astype(np.float32) - self.zero) * self.scales[..., None]
        return values.reshape(self.codes.shape[0], -1)

    def packed(self) -> np.ndarray:
        """Codes as MatMulNBits wants them: (rows, blocks, block_size * bits / 8) uint8, low nibble first."""
        if self.bits == 8:
            return self.codes
        return (self.codes[..., 0::2] | (self.codes[..., 1::2] << 4)).astype(np.uint8)


def quantise_blocks(
    weight: np.ndarray,
    bits: int,
    block_size: int,
    importance: np.ndarray | None = None,
    candidates: int = 24,
) -> BlockQuantised:
    """Quantises (rows, K) to `bits` in blocks of `block_size`, searching the scale of least squared error.

    Plain absmax scaling wastes a level of the asymmetric code range and lets one outlier stretch a block. For each
    block this tries scales from 0.65 to 1.1 of absmax, in both signs (a negative scale moves the extra level, -2^(b-1),
    to the side of the largest weight), and keeps the best. `importance` (K,), mean squared activation of each input,
    weighs the error. K must be a multiple of block_size.
    """
    rows, size = weight.shape
    if size % block_size:
        raise ValueError(f"K = {size} is not a multiple of the block size {block_size}")
    blocks = weight.reshape(rows, size // block_size, block_size).astype(np.float32)
    weights = np.ones((1, 1, 1), np.float32)
    if importance is not None:
        weights = importance.reshape(1, size // block_size, block_size).astype(np.float32) + 1e-12
    zero = 1 << (bits - 1)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]  # (rows, blocks), signed
    best_error = np.full(extreme.shape, np.inf, np.float32)
    best_scale = np.ones(extreme.shape, np.float32)
    if bits == 8:
        factors = [-(zero - 0.5) / zero, (zero - 1) / zero] if candidates else [(zero - 1) / zero]
    else:
        factors = np.concatenate([np.linspace(-1.1, -0.65, candidates), np.linspace(0.65, 1.1, candidates)])
    safe = np.where(extreme == 0, 1.0, extreme)
    for factor in factors:
        scale = (safe / (zero * factor)).astype(np.float32)
        codes = np.clip(np.rint(blocks / scale[..., None]), -zero, zero - 1)
        error = (weights * (codes * scale[..., None] - blocks) ** 2).sum(-1)
        better = error < best_error
        best_error = np.where(better, error, best_error)
        best_scale = np.where(better, scale, best_scale)
    codes = np.clip(np.rint(blocks / best_scale[..., None]), -zero, zero - 1) + zero
    return BlockQuantised(codes.astype(np.uint8), best_scale, bits)


def quantise_rows(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 with one scale per row: returns codes (rows, K) int8 and scales (rows, 1) float32."""
    scales = np.abs(weight).max(axis=1, keepdims=True) / 127.0
    scales = np.where(scales == 0, 1.0, scales).astype(np.float32)
    codes = np.clip(np.rint(weight / scales), -127, 127).astype(np.int8)
    return codes, scales


def quantise_gptq(
    weight: np.ndarray, second_moment: np.ndarray, bits: int, block_size: int, damping: float = 0.01
) -> BlockQuantised:
    """Quantises (rows, K) column by column, each column's error moved onto the columns still to come (GPTQ).

    `second_moment` (K, K) is the sum of x x^T over calibration inputs x: the error that counts is that of the layer's
    output on those inputs. Scales are chosen per block of `block_size` columns as in quantise_blocks, from the weights
    as corrected so far. Source: Frantar et al. 2022, arXiv 2210.17323.
    """
    rows, size = weight.shape
    remaining = weight.astype(np.float64).copy()
    moment = second_moment.astype(np.float64).copy()
    silent = np.diag(moment) == 0  # inputs that were never active: nothing to weigh by
    moment[silent, silent] = 1.0
    moment[np.diag_indices(size)] += damping * np.diag(moment).mean()
    inverse = np.linalg.cholesky(np.linalg.inv(moment)).T  # upper triangular, as the update needs it
    zero = 1 << (bits - 1)
    codes = np.empty((rows, size), np.uint8)
    scales = np.empty((rows, size // block_size), np.float32)
    for start in range(0, size, block_size):
        stop = start + block_size
        importance = np.diag(moment)[start:stop]
        block = quantise_blocks(remaining[:, start:stop].astype(np.float32), bits, block_size, importance)
        scale = block.scales[:, 0].astype(np.float64)
        scales[:, start // block_size] = block.scales[:, 0]
        errors = np.empty((rows, block_size))
        for column in range(start, stop):
            code = np.clip(np.rint(remaining[:, column] / scale), -zero, zero - 1)
            codes[:, column] = (code + zero).astype(np.uint8)
            error = (remaining[:, column] - code * scale) / inverse[column, column]
            remaining[:, column:stop] -= error[:, None] * inverse[column, column:stop]
            errors[:, column - start] = error
        remaining[:, stop:] -= errors @ inverse[start:stop, stop:]
    return BlockQuantised(codes.reshape(rows, size // block_size, block_size), scales, bits)
