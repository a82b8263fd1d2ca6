"""The 4-bit grid: codes, cells, calibration."""

from __future__ import annotations

import torch

from tidepool_model.architecture.grid import BLOCK, best_scales, calibrate, grid_codes, into_cells, on_grid


def scales_of(weight: torch.Tensor) -> torch.Tensor:
    blocks = weight.unflatten(-1, (-1, BLOCK))
    return torch.stack([best_scales(blocks[:, at], torch.ones(BLOCK)) for at in range(blocks.shape[1])], 1)


def test_what_is_on_the_grid_stays_there() -> None:
    torch.manual_seed(0)
    weight = torch.randn(24, 128)
    scale = scales_of(weight)
    assert torch.equal(scale, scale.half().float())  # what ships is float16
    rounded = on_grid(weight, scale)
    assert torch.equal(on_grid(rounded, scale), rounded)
    codes = grid_codes(weight, scale)
    assert codes.min() >= -8 and codes.max() <= 7
    assert float((rounded - weight).square().mean() / weight.square().mean()) < 0.01


def test_weights_are_moved_into_the_cells_of_wanted_codes() -> None:
    torch.manual_seed(1)
    weight = torch.randn(16, 64)
    scale = scales_of(weight)
    wanted = (grid_codes(weight, scale) + torch.randint(-1, 2, (16, 2, BLOCK))).clamp(-8, 7)
    moved = into_cells(weight, wanted, scale)
    assert torch.equal(grid_codes(moved, scale), wanted)
    same = wanted == grid_codes(weight, scale)
    inside = ((weight.unflatten(-1, (-1, BLOCK)) / scale.unsqueeze(-1)) - wanted).abs() < 0.44
    assert torch.allclose(moved.unflatten(-1, (-1, BLOCK))[same & inside], weight.unflatten(-1, (-1, BLOCK))[same & inside], atol=1e-6)


def test_calibration_beats_rounding_on_the_inputs_it_saw() -> None:
    torch.manual_seed(2)
    inputs = torch.randn(400, 12) @ torch.randn(12, 96) + 0.1 * torch.randn(400, 96)  # correlated, as activations are
    weight = torch.randn(32, 96)
    codes, scale = calibrate(weight, inputs.T @ inputs / 400)
    calibrated = (codes * scale.unsqueeze(-1)).flatten(-2)
    plain = on_grid(weight, scales_of(weight))
    error = lambda w: float((inputs @ (w - weight).T).square().mean())
    assert error(calibrated) < 0.5 * error(plain)
