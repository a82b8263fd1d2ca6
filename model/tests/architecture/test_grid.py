"""The 4-bit grid: codes, cells, calibration."""

from __future__ import annotations

import pytest
import torch

from tidepool_model.architecture.grid import BLOCK, best_scales, calibrate, dithered, grid_codes, into_cells, on_grid


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


def test_dithered_weights_keep_their_codes_and_cross_in_proportion_to_a_push() -> None:
    generator = torch.Generator().manual_seed(3)
    codes = torch.randint(-8, 8, (64, 4, BLOCK), generator=generator).float()
    scale = torch.rand(64, 4, generator=generator) + 0.1
    scale[::2] *= -1
    weight = (codes * scale.unsqueeze(-1)).flatten(-2)
    spread = dithered(weight, scale, 0.9, generator)
    assert torch.equal(grid_codes(spread, scale), codes)
    steps = (spread - weight).unflatten(-1, (-1, BLOCK)) / scale.unsqueeze(-1)
    assert steps.abs().max() <= 0.45 + 1e-6 and steps.std() == pytest.approx(0.9 / 12**0.5, rel=0.02)
    # From the middle of the cells a push of a tenth of a step changes nothing; dithered, about a tenth minus what the margin holds back.
    inner = codes < 7
    push = (0.1 * scale.unsqueeze(-1)).expand_as(codes).flatten(-2)
    assert torch.equal(grid_codes(weight + push, scale), codes)
    crossed = (grid_codes(spread + push, scale) != codes)[inner].float().mean()
    assert crossed == pytest.approx(0.05 / 0.9, abs=0.01)


def test_calibration_beats_rounding_on_the_inputs_it_saw() -> None:
    torch.manual_seed(2)
    inputs = torch.randn(400, 12) @ torch.randn(12, 96) + 0.1 * torch.randn(400, 96)  # correlated, as activations are
    weight = torch.randn(32, 96)
    codes, scale = calibrate(weight, inputs.T @ inputs / 400)
    calibrated = (codes * scale.unsqueeze(-1)).flatten(-2)
    plain = on_grid(weight, scales_of(weight))
    error = lambda w: float((inputs @ (w - weight).T).square().mean())
    assert error(calibrated) < 0.5 * error(plain)
