"""Muon for the matrices, AdamW for everything else, and the warm-up/stable/decay schedule."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..architecture.number_type import fastest_type


def orthogonalise(gradient: Tensor, steps: int = 5) -> Tensor:
    """Nearest semi-orthogonal matrix (..., rows, columns) by a quintic Newton-Schulz iteration (Jordan et al. 2024, Muon)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = gradient.to(fastest_type(gradient.device))
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).to(gradient.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum, then orthogonalised; scaled by 0.2·sqrt(max side) so that AdamW's learning rate fits (arXiv 2502.16982)."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.05) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                buffer = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = orthogonalise(p.grad.lerp(buffer, group["momentum"]))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * 0.2 * max(p.shape[-2:]) ** 0.5)


def build_optimisers(model: nn.Module, lr: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """Muon over the blocks' matrices, each expert's own; AdamW over embedding, convolutions, routers, norms and Mamba's vectors."""
    matrices = [p for n, p in model.named_parameters() if ".mixer." in n and ".gate." not in n and (p.dim() == 2 or ".experts." in n)]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    adam = torch.optim.AdamW(
        [
            {"params": [p for p in rest if p.dim() >= 2], "weight_decay": weight_decay * 0.2},
            {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0},
        ],
        lr=lr,
        betas=(0.9, 0.95),
        fused=True,
    )
    return [Muon(matrices, lr, weight_decay=weight_decay), adam]


def schedule(done: float, warmup: float = 0.02, decay: float = 0.4, floor: float = 0.02) -> float:
    """Learning-rate factor at `done` (0..1 of the run): linear warm-up, stable, linear decay to `floor` (WSD)."""
    if done < warmup:
        return max(done / warmup, 1e-3)
    if done < 1 - decay:
        return 1.0
    return floor + (1 - floor) * max(0.0, (1 - done) / decay)
