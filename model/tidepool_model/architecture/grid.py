"""The 4-bit grid that a model is taught on and shipped on: blocks of 32 along the inputs, one signed scale a block, codes -8 to 7.

In training the forward pass sees the rounded weights and the gradient goes to the unrounded ones (straight-through), so what
ships is what was taught. The scales are fixed when teaching begins (best of several, or GPTQ's) and are float16 numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 32
LOWEST, HIGHEST = -8, 7


def grid_codes(weight: Tensor, scale: Tensor) -> Tensor:
    """Codes (rows, K / 32, 32), -8 to 7, of weight (rows, K) with scale (rows, K / 32)."""
    blocks = weight.unflatten(-1, (-1, BLOCK))
    return (blocks / scale.unsqueeze(-1)).round().clamp(LOWEST, HIGHEST)


def on_grid(weight: Tensor, scale: Tensor) -> Tensor:
    """weight (rows, K) rounded to its grid; same shape and type."""
    return (grid_codes(weight, scale) * scale.unsqueeze(-1)).flatten(-2)


def into_cells(weight: Tensor, wanted: Tensor, scale: Tensor, margin: float = 0.05) -> Tensor:
    """The nearest weights to `weight` that round to the codes `wanted` (rows, K / 32, 32), `margin` of a step inside each cell.

    So a calibrated rounding (GPTQ) becomes the start of straight-through training: most weights keep their value, and
    those that calibration moved stand just over the border.
    """
    steps = weight.unflatten(-1, (-1, BLOCK)) / scale.unsqueeze(-1)
    low = torch.where(wanted > LOWEST, wanted - 0.5 + margin, torch.full_like(wanted, -torch.inf))
    high = torch.where(wanted < HIGHEST, wanted + 0.5 - margin, torch.full_like(wanted, torch.inf))
    return (torch.minimum(torch.maximum(steps, low), high) * scale.unsqueeze(-1)).flatten(-2)


def dithered(weight: Tensor, scale: Tensor, width: float, generator: torch.Generator | None = None) -> Tensor:
    """weight (rows, K) moved at random within its cells, evenly over `width` of a step (0 to 1); rounds to the same codes if it stood on the grid.

    Weights that are read back from a grid stand in the middle of their cells, where straight-through training changes nothing
    until each has gone half a step. Spread over the cell, a share of them crosses at once, in proportion to the update.
    """
    steps = (torch.rand(weight.shape, generator=generator) - 0.5) * width
    return weight + (steps.unflatten(-1, (-1, BLOCK)) * scale.unsqueeze(-1)).flatten(-2)


def best_scales(blocks: Tensor, importance: Tensor, candidates: int = 9) -> Tensor:
    """Signed float16 scale of least weighted squared error for each block: blocks (rows, 32), importance (32,) -> (rows,).

    Scales from 0.65 to 1.1 of the largest weight over 8, in both signs: a negative one gives the extra level to the side of
    the largest weight.
    """
    extreme = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))[:, 0]  # (rows,), signed
    extreme = torch.where(extreme == 0, torch.ones_like(extreme), extreme)
    factors = torch.linspace(0.65, 1.1, candidates, dtype=blocks.dtype)
    best = torch.full_like(extreme, torch.inf)
    chosen = torch.ones_like(extreme)
    for factor in [*(-factors).tolist(), *factors.tolist()]:
        scale = (extreme / (8 * factor)).half().to(blocks.dtype)
        scale = torch.where(scale == 0, torch.full_like(scale, 6e-8), scale)
        rounded = (blocks / scale[:, None]).round().clamp(LOWEST, HIGHEST) * scale[:, None]
        error = (importance * (rounded - blocks).square()).sum(-1)
        better = error < best
        best = torch.where(better, error, best)
        chosen = torch.where(better, scale, chosen)
    return chosen


def calibrate(weight: Tensor, moment: Tensor, damping: float = 0.01) -> tuple[Tensor, Tensor]:
    """GPTQ (Frantar et al. 2022, arXiv 2210.17323) onto the grid: codes (rows, K / 32, 32) and scales (rows, K / 32), float32.

    `moment` (K, K) is the mean of x xᵀ over the inputs that the matrix (rows, K) sees; each column's error is moved onto the
    columns still to come.
    """
    rows, size = weight.shape
    left = weight.double().clone()
    moment = moment.double().clone()
    diagonal = moment.diagonal()
    diagonal[diagonal == 0] = 1.0
    diagonal += damping * diagonal.mean()
    inverse = torch.linalg.cholesky(torch.linalg.inv(moment), upper=True)  # (K, K)
    codes = torch.empty(rows, size // BLOCK, BLOCK)
    scales = torch.empty(rows, size // BLOCK)
    for start in range(0, size, BLOCK):
        stop = start + BLOCK
        scale = best_scales(left[:, start:stop], moment.diagonal()[start:stop])
        scales[:, start // BLOCK] = scale.float()
        errors = torch.empty(rows, BLOCK, dtype=torch.float64)
        for column in range(start, stop):
            code = (left[:, column] / scale).round().clamp(LOWEST, HIGHEST)
            codes[:, start // BLOCK, column - start] = code.float()
            error = (left[:, column] - code * scale) / inverse[column, column]
            left[:, column:stop] -= error[:, None] * inverse[column, column:stop]
            errors[:, column - start] = error
        left[:, stop:] -= errors @ inverse[start:stop, stop:]
    return codes, scales
