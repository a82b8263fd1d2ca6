"""Emulated formats round as the formats do, and each part of NVFP4's recipe does what it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM
from tidepool_model.export.nvfp4 import pack_matrix
from tidepool_model.training.precision import (
    E5M2_MAX,
    RECIPES,
    EmulatedLinear,
    EmulatedProduct,
    emulate,
    product,
    round_e2m1,
    to_fp8,
    to_nvfp4,
    turned,
)


def test_nvfp4_is_the_packers() -> None:
    """Scales, rounding and zeros are those of export/nvfp4.py, which is held to published reference values."""
    weight = np.random.default_rng(0).standard_normal((32, 64)).astype(np.float32)
    weight[3] = 0
    values, factor = to_nvfp4(torch.from_numpy(weight))
    assert np.allclose((values.float() * factor).numpy(), pack_matrix(weight, False).dequantise(), rtol=1e-6, atol=0)


def test_e2m1_rounds_ties_to_even_and_by_chance_without_a_bias() -> None:
    ties = torch.tensor([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, -2.5, 6.0])
    assert round_e2m1(ties, False).tolist() == [0, 1, 1, 2, 2, 4, 4, -2, 6]
    torch.manual_seed(0)
    x = torch.tensor([0.1, 1.3, 2.9, -4.5]).repeat(40_000, 1)
    rounded = round_e2m1(x, True)
    assert (rounded.mean(0) - x[0]).abs().max() < 0.02
    assert set(rounded[:, 2].tolist()) == {2.0, 3.0}


def test_square_blocks_give_both_passes_the_same_weight() -> None:
    weight = torch.randn(48, 40, generator=torch.Generator().manual_seed(0))
    for two_dimensional in (True, False):
        there, back = (values.float() * factor for values, factor in (to_nvfp4(weight, two_dimensional), to_nvfp4(weight.mT, two_dimensional)))
        assert torch.equal(there, back.mT) is two_dimensional


def test_the_hadamard_transform_changes_no_product_and_spreads_an_outlier() -> None:
    left, right = torch.randn(2, 8, 50, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(turned(left) @ turned(right).mT, left @ right.mT, atol=1e-5)
    spike = torch.zeros(1, 16)
    spike[0, 5] = 4
    assert turned(spike).abs().tolist() == [[1.0] * 16]


def test_fp8_keeps_three_bits_and_gradients_keep_two_with_more_range() -> None:
    x = torch.randn(64, 64, generator=torch.Generator().manual_seed(2))
    for kind, largest, error in ((torch.float8_e4m3fn, 448.0, 2**-4), (torch.float8_e5m2, E5M2_MAX, 2**-3)):
        values, factor = to_fp8(x, kind, largest)
        relative = ((values.float() * factor - x).abs() / x.abs().clamp(min=0.1)).max()
        assert error / 2 < relative <= error * 1.0001
    tiny = torch.tensor([1.0, 1e-6])
    assert to_fp8(tiny, torch.float8_e4m3fn, 448.0)[0][1] == 0 and to_fp8(tiny, torch.float8_e5m2, E5M2_MAX)[0][1] > 0
    values, factor = to_fp8(torch.zeros(3), torch.float8_e4m3fn, 448.0)
    assert values.tolist() == [0, 0, 0] and factor == 1


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe])
def test_emulated_gradients_are_near_the_exact_ones(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe is not None
    torch.manual_seed(3)
    x, weight = torch.randn(96, 64, requires_grad=True), torch.randn(50, 64, requires_grad=True)
    upstream = torch.randn(96, 50)
    y = EmulatedProduct.apply(x, weight, recipe)
    found = [y.detach(), *torch.autograd.grad(y, (x, weight), upstream)]
    exact = [(x @ weight.T).detach(), upstream @ weight.detach(), upstream.T @ x.detach()]
    for got, wanted in zip(found, exact, strict=True):
        error = ((got - wanted).norm() / wanted.norm()).item()
        assert (0.01 if recipe.form == "fp8" else 0.05) < error < (0.1 if recipe.form == "fp8" else 0.3)


def test_gradients_are_rounded_in_their_own_format() -> None:
    """A gradient far below the largest survives in E5M2; in E4M3 it would be zero."""
    x, weight = torch.eye(2), torch.eye(2, requires_grad=True)
    recipe = RECIPES["fp8"]
    gradient = torch.autograd.grad(EmulatedProduct.apply(x, weight, recipe), weight, torch.tensor([[1.0, 0.0], [0.0, 1e-6]]))[0]
    assert gradient[1, 1] == pytest.approx(1e-6, rel=0.13)


def test_the_ends_keep_their_precision_and_nothing_but_linear_layers_changes() -> None:
    model = HybridLM(replace(preset("micro"), vocab_size=64))
    names = list(model.state_dict())
    emulate(model, "nvfp4")
    inside = {name for name, module in model.named_modules() if isinstance(module, EmulatedLinear)}
    assert {name.split(".")[2] for name in inside} == {"1", "2", "3"} and len(inside) == 8
    assert list(model.state_dict()) == names and not isinstance(model.lm_head, EmulatedLinear)
    loss = model.loss(model.model(torch.arange(32)[None])[0], torch.arange(1, 33)[None])
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_product_multiplies_the_factors_in() -> None:
    one = (torch.ones(2, 3, dtype=torch.bfloat16), torch.tensor(2.0))
    assert product(one, one).tolist() == [[12.0, 12.0], [12.0, 12.0]]
