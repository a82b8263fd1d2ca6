"""Emulates training in FP8 and NVFP4: operands of the layers' products are rounded as the format would, sums stay wide.

No processor here multiplies in these formats. What is rounded, where and how is theirs; time and memory are not. Weights,
optimiser, embedding, head, norms, routers and the recurrence keep their precision.

FP8 is Nemotron-H's (arXiv 2504.03624, 2.3): E4M3 for weights and activations, E5M2 for gradients, one scale a tensor from the
tensor itself. NVFP4 is that of arXiv 2509.25149: blocks of 16 along the product's inner axis with E4M3 scales and one float32
scale a tensor; its parts can be left out one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..architecture.model import HybridLM

E4M3_MAX, E5M2_MAX, E2M1_MAX = 448.0, 57344.0, 6.0
BLOCK = 16
# The fixed signs of the random Hadamard transform, TransformerEngine's.
SIGNS = (1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, 1, -1, -1)


@dataclass(frozen=True)
class Recipe:
    """What is emulated; `edges` is how many layers at either end keep their precision."""

    form: Literal["fp8", "nvfp4"]
    edges: int = 0
    two_dimensional: bool = False  # weight scales a 16 x 16 block, so that both passes see the same weight
    hadamard: bool = False  # both operands of the weight gradient are turned first
    stochastic: bool = False  # gradients are rounded up or down by chance


RECIPES: dict[str, Recipe | None] = {
    "plain": None,
    "fp8": Recipe("fp8", edges=1),
    "nvfp4-bare": Recipe("nvfp4"),
    "nvfp4-2d": Recipe("nvfp4", two_dimensional=True),
    "nvfp4-hadamard": Recipe("nvfp4", two_dimensional=True, hadamard=True),
    "nvfp4-stochastic": Recipe("nvfp4", two_dimensional=True, hadamard=True, stochastic=True),
    "nvfp4": Recipe("nvfp4", edges=1, two_dimensional=True, hadamard=True, stochastic=True),
}
"""NVFP4's parts are added in this order."""


def to_fp8(x: Tensor, kind: torch.dtype, largest: float) -> tuple[Tensor, Tensor]:
    """FP8 values of x as bfloat16, which holds each exactly, and the factor that they stand for."""
    amax = x.abs().amax().float()
    scale = torch.where(amax > 0, largest / amax, torch.ones_like(amax))
    return (x.float() * scale).clamp(-largest, largest).to(kind).to(torch.bfloat16), 1 / scale


def round_e2m1(x: Tensor, stochastic: bool) -> Tensor:
    """x within ±6 on the grid 0, .5, 1, 1.5, 2, 3, 4, 6: to nearest, ties to even, or up and down by chance."""
    size = x.abs()
    step = 0.5 * (1 + (size >= 2).float() + 2 * (size >= 4).float())  # 0.5, 1 or 2
    places = size / step
    rounded = (places + torch.rand_like(places)).floor() if stochastic else places.round()
    return (rounded * step).clamp(max=E2M1_MAX).copysign(x)


def to_nvfp4(x: Tensor, two_dimensional: bool = False, stochastic: bool = False) -> tuple[Tensor, Tensor]:
    """x (rows, K) in blocks of 16 along K: values times block scales as bfloat16, which holds each exactly, and the tensor's factor."""
    rows, size = x.shape
    padded = F.pad(x.float(), (0, -size % BLOCK, 0, -rows % BLOCK if two_dimensional else 0))
    blocks = padded.unflatten(-1, (-1, BLOCK))  # (rows, blocks, 16)
    amax = blocks.abs().amax(-1)  # (rows, blocks)
    if two_dimensional:
        amax = amax.unflatten(0, (-1, BLOCK)).amax(1).repeat_interleave(BLOCK, 0)
    whole = amax.amax()
    factor = torch.where(whole > 0, whole / (E2M1_MAX * E4M3_MAX), torch.ones_like(whole))
    scale = (amax / (E2M1_MAX * factor)).clamp(2**-9, E4M3_MAX).to(torch.float8_e4m3fn).float().unsqueeze(-1)
    scaled = (blocks / (scale * factor)).clamp(-E2M1_MAX, E2M1_MAX)
    values = round_e2m1(scaled, stochastic) * scale
    return values.flatten(-2)[:rows, :size].to(torch.bfloat16), factor


def hadamard(device: torch.device) -> Tensor:
    """The 16 x 16 transform with its signs; orthogonal, so that a product of two turned operands is the product."""
    matrix = torch.ones(1, 1)
    for _ in range(4):
        matrix = torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])
    return (torch.tensor(SIGNS).unsqueeze(1) * matrix / 4).to(device)


def turned(x: Tensor) -> Tensor:
    """x (rows, K), each 16 along K turned by the Hadamard transform; K is filled up with zeros."""
    padded = F.pad(x.float(), (0, -x.shape[-1] % BLOCK))
    return (padded.unflatten(-1, (-1, BLOCK)) @ hadamard(x.device)).flatten(-2)


def product(left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor]) -> Tensor:
    """left (m, k) times right (n, k) transposed, (m, n) float32."""
    return (left[0] @ right[0].mT).float() * (left[1] * right[1])


class EmulatedProduct(torch.autograd.Function):
    """x (tokens, in) times weight (out, in) transposed; forward, input's gradient and weight's gradient all from rounded operands."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, weight: Tensor, recipe: Recipe) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.recipe = recipe  # type: ignore[attr-defined]
        if recipe.form == "fp8":
            y = product(to_fp8(x, torch.float8_e4m3fn, E4M3_MAX), to_fp8(weight, torch.float8_e4m3fn, E4M3_MAX))
        else:
            y = product(to_nvfp4(x), to_nvfp4(weight, recipe.two_dimensional))
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:  # type: ignore[override]
        x, weight = ctx.saved_tensors  # type: ignore[attr-defined]
        recipe: Recipe = ctx.recipe  # type: ignore[attr-defined]
        if recipe.form == "fp8":
            g = to_fp8(gradient, torch.float8_e5m2, E5M2_MAX)
            w, a = (to_fp8(t, torch.float8_e4m3fn, E4M3_MAX) for t in (weight, x))
            return product(g, (w[0].mT, w[1])).to(x.dtype), product((g[0].mT, g[1]), (a[0].mT, a[1])).to(weight.dtype), None
        turn = turned if recipe.hadamard else torch.Tensor.contiguous
        to_input = product(to_nvfp4(gradient, stochastic=recipe.stochastic), to_nvfp4(weight.mT, recipe.two_dimensional))
        to_weight = product(to_nvfp4(turn(gradient.mT), stochastic=recipe.stochastic), to_nvfp4(turn(x.mT)))
        return to_input.to(x.dtype), to_weight.to(weight.dtype), None


class EmulatedLinear(nn.Linear):
    """A linear layer without bias whose products are emulated in a recipe's format."""

    recipe: Recipe

    def forward(self, x: Tensor) -> Tensor:
        y = EmulatedProduct.apply(x.flatten(0, -2), self.weight, self.recipe)
        return y.unflatten(0, x.shape[:-1])


def emulate(model: HybridLM, name: str) -> None:
    """Has the linear layers of the blocks compute in the format `name` of RECIPES, but for the recipe's edges."""
    recipe = RECIPES[name]
    if recipe is None:
        return
    layers = list(model.model.layers)
    for layer in layers[recipe.edges : len(layers) - recipe.edges]:
        for module in layer.modules():
            if type(module) is nn.Linear:
                module.__class__ = EmulatedLinear
                module.recipe = recipe
