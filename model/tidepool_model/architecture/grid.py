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
