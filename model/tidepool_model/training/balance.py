"""Keeps the load of experts even: the bias that steers the choice, moved after each step, and the loss a sequence.

Nemotron 3 moves each bias by 1e-3 a step, over some hundred thousand steps. A toy's few hundred could not move it as far as
the scores spread, so here the way that a bias can go in the whole run is given, and the rate is that over the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..architecture.feedforward import Router
from ..architecture.model import HybridLM

SEQUENCE_LOSS = 1e-4  # coefficient of Nemotron 3 Nano, pretraining and fine-tuning alike
BIAS_TRAVEL = 0.5  # how far a bias can go in a run: sigmoid scores spread over some 0.2 to 0.4

AddUp = Callable[[list[Tensor]], None]


def routers(model: HybridLM) -> Iterator[Router]:
    """The routers of a model's layers of experts, in order."""
    return (layer.mixer.gate for layer in model.model.layers if layer.letter == "E")


def sequence_loss(model: HybridLM) -> Tensor | None:
    """What the last forward pass adds to the loss; None where there are no experts."""
    losses = [router.sequence_loss for router in routers(model) if router.sequence_loss is not None]
    return SEQUENCE_LOSS * torch.stack(losses).sum() if losses else None


@torch.no_grad()
def move_biases(model: HybridLM, rate: float, add_up: AddUp | None = None) -> float | None:
    """Moves each bias by `rate` against its expert's load of the whole step, once a step, and forgets the counts.

    `add_up` replaces the counts by their sums over the processes of a run. Gives MaxVio, the largest expert's load over the
    mean (1 is even, experts / choices the most), mean over the layers; None where there are no experts.
    """
    found = list(routers(model))
    if not found:
        return None
    if add_up is not None:
        add_up([router.counts for router in found])
    violations = []
    for router in found:
        mean = router.counts.mean()
        violations.append(float(router.counts.max() / mean.clamp(min=1)))
        router.e_score_correction_bias += rate * (mean - router.counts).sign()
        router.counts.zero_()
    return sum(violations) / len(violations)
